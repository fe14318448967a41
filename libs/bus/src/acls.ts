import { NodeApplied, nodeAppliedTopic, type Topic } from '@warder/contracts';
import kafkajs, { type Admin } from 'kafkajs';

// kafkajs is CommonJS: its enumerations are not named exports to an ES module.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

/** What one service may do to one resource; its Kafka user carries the service's name. */
export interface AclEntry {
  principal: string;
  resource: 'topic' | 'group' | 'cluster';
  name: string;
  pattern: 'literal' | 'prefixed';
  operations: readonly ('read' | 'write' | 'describe' | 'idempotent-write')[];
}

/** The consumer groups of a service all start with this, so that one prefixed entry covers them. */
export function groupPrefixOf(service: string): string {
  return `${service}.`;
}

/** The entries that let every service, and a SIEM, do what the topics' `writers` and `readers` say, and nothing else. */
export function aclsOf(topics: readonly Topic<unknown>[]): AclEntry[] {
  const entries: AclEntry[] = [];
  const services = new Set<string>();
  const all = topics.includes(nodeAppliedTopic) ? topics : [...topics, nodeAppliedTopic as Topic<NodeApplied>];
  for (const topic of all) {
    for (const service of new Set<string>([...topic.writers, ...topic.readers])) {
      services.add(service);
      const operations: AclEntry['operations'][number][] = ['describe'];
      if ((topic.readers as readonly string[]).includes(service)) operations.push('read');
      if ((topic.writers as readonly string[]).includes(service)) operations.push('write');
      entries.push({
        principal: `User:${service}`,
        resource: 'topic',
        name: topic.name,
        pattern: 'literal',
        operations,
      });
    }
  }
  const writers = new Set<string>(all.flatMap((topic) => topic.writers));
  for (const service of services) {
    const principal = `User:${service}`;
    const group = groupPrefixOf(service);
    entries.push({ principal, resource: 'group', name: group, pattern: 'prefixed', operations: ['read', 'describe'] });
    if (!writers.has(service)) continue;
    const operations: AclEntry['operations'] = ['idempotent-write', 'describe'];
    entries.push({ principal, resource: 'cluster', name: 'kafka-cluster', pattern: 'literal', operations });
  }
  return entries;
}

const OPERATIONS = {
  read: AclOperationTypes.READ,
  write: AclOperationTypes.WRITE,
  describe: AclOperationTypes.DESCRIBE,
  'idempotent-write': AclOperationTypes.IDEMPOTENT_WRITE,
} as const;

const RESOURCES = {
  topic: AclResourceTypes.TOPIC,
  group: AclResourceTypes.GROUP,
  cluster: AclResourceTypes.CLUSTER,
} as const;

/** Sets the entries on the broker; entries that are there already stay as they are. */
export async function applyAcls(admin: Admin, entries: readonly AclEntry[]): Promise<void> {
  const acl = entries.flatMap((entry) =>
    entry.operations.map((operation) => ({
      principal: entry.principal,
      host: '*',
      operation: OPERATIONS[operation],
      permissionType: AclPermissionTypes.ALLOW,
      resourceType: RESOURCES[entry.resource],
      resourceName: entry.name,
      resourcePatternType: entry.pattern === 'literal' ? ResourcePatternTypes.LITERAL : ResourcePatternTypes.PREFIXED,
    })),
  );
  await admin.createAcls({ acl });
}
