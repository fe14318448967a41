import type { AuditRecord } from '@warder/contracts';
import { ocsfActor, ocsfApi, ocsfSource, ocsfUser } from './ocsf-actors.js';
import { ocsfBase, type OcsfClass, type OcsfEnum, type OcsfEvent } from './ocsf-base.js';
import { type RecordNotes, PRODUCT } from './record-notes.js';

const IAM = [3, 'Identity & Access Management'] as const;
const SYSTEM = [1, 'System Activity'] as const;
const APPLICATION = [6, 'Application Activity'] as const;

const API_ACTIVITY: OcsfClass = {
  category: APPLICATION,
  uid: [6003, 'API Activity'],
  profiles: ['ai_operation', 'security_control', 'trace'],
};
const AUTHENTICATION: OcsfClass = { category: IAM, uid: [3002, 'Authentication'], profiles: ['security_control'] };
const ENTITY_MANAGEMENT: OcsfClass = {
  category: IAM,
  uid: [3004, 'Entity Management'],
  profiles: ['security_control'],
};
const EVENT_LOG: OcsfClass = {
  category: SYSTEM,
  uid: [1008, 'Event Log Activity'],
  profiles: ['host', 'security_control'],
};

/**
 * The record as an OCSF 1.8.0 event that the published schema accepts.
 *
 * Calls, lists, sessions, messages that are no protocol and queries of the audit are API Activity (6003): something
 * was asked of a service. A refused identification is Authentication (3002). A change at an admin door is Entity
 * Management (3004): the schema has no other class whose subject is the thing that was changed, whatever it is. What
 * happens to the record itself (export, erasure, a gap) is Event Log Activity (1008), on which rules about tampering
 * with logs already look.
 * @param notes - the leaf hash stands in `unmapped.leaf_hash`; the profile for it, `record_integrity`, came after 1.8
 * @see OCSF schema 1.8.0
 */
export function ocsfEvent(record: AuditRecord, notes: RecordNotes = {}): OcsfEvent {
  switch (record.kind) {
    case 'authentication':
      return authentication(record, notes);
    case 'admin':
      return entityManagement(record, notes);
    case 'export':
      return eventLog(record, [3, 'Export'], notes);
    case 'erasure':
      return eventLog(record, [2, 'Delete'], notes);
    case 'gap':
      return eventLog(record, [99, 'Records lost'], notes);
    default:
      return apiActivity(record, notes);
  }
}

function apiActivity(record: AuditRecord, notes: RecordNotes): OcsfEvent {
  const { upstream, tool, virtualServer, exposedName, definitionHash, personal } = record;
  return {
    ...ocsfBase(record, API_ACTIVITY, apiActivityOf(record), notes),
    message: messageOf(record),
    actor: ocsfActor(record),
    api: ocsfApi(record),
    src_endpoint: ocsfSource(record),
    dst_endpoint: { svc_name: upstream ?? virtualServer ?? PRODUCT.name },
    ...(tool !== null && {
      resources: [
        {
          uid: `${upstream ?? ''}/${tool}`,
          name: tool,
          type: 'MCP tool',
          ...(upstream !== null && { namespace: upstream }),
          ...(definitionHash !== null && { version: definitionHash }),
          ...(exposedName !== null && { uid_alt: exposedName }),
        },
      ],
    }),
    message_context: {
      uid: record.recordId,
      ai_role_id: 3,
      ai_role: 'Tool',
      service: { name: virtualServer ?? PRODUCT.name },
      ...(personal?.claimed && {
        application: { name: personal.claimed.name, version: personal.claimed.version },
      }),
    },
  };
}

// What a tool does to its upstream is not in the protocol, so a call claims none of the four verbs.
function apiActivityOf({ kind, method }: AuditRecord): OcsfEnum {
  if (kind === 'list' || kind === 'query') return [2, 'Read'];
  if (method === 'initialize') return [1, 'Create'];
  if (kind === 'protocol') return [0, 'Unknown'];
  return [99, method === '' ? 'Other' : method];
}

function authentication(record: AuditRecord, notes: RecordNotes): OcsfEvent {
  return {
    ...ocsfBase(record, AUTHENTICATION, [1, 'Logon'], notes),
    message: messageOf(record),
    user: ocsfUser(record),
    actor: ocsfActor(record),
    service: { name: PRODUCT.name },
    src_endpoint: ocsfSource(record),
    auth_protocol_id: 99,
    auth_protocol: 'Bearer token',
    logon_type_id: 3,
    logon_type: 'Network',
    is_remote: true,
  };
}

function entityManagement(record: AuditRecord, notes: RecordNotes): OcsfEvent {
  // `admin/<service>/<noun>.<verb>`
  const [, service = 'admin', action = record.method] = record.method.split('/');
  const verb = action.split('.')[1] ?? '';
  return {
    ...ocsfBase(record, ENTITY_MANAGEMENT, VERBS.get(verb) ?? [3, 'Update'], notes),
    message: messageOf(record),
    actor: ocsfActor(record),
    src_endpoint: ocsfSource(record),
    entity: { name: action.split('.')[0] ?? action, type_id: 99, type: service },
  };
}

const VERBS = new Map<string, OcsfEnum>([
  ['create', [1, 'Create']],
  ['issue', [1, 'Create']],
  ['delete', [4, 'Delete']],
  ['revoke', [11, 'Deactivate']],
  ['suspend', [12, 'Suspend']],
  ['resume', [13, 'Resume']],
]);

function eventLog(record: AuditRecord, activity: OcsfEnum, notes: RecordNotes): OcsfEvent {
  return {
    ...ocsfBase(record, EVENT_LOG, activity, notes),
    message: messageOf(record),
    actor: ocsfActor(record),
    src_endpoint: ocsfSource(record),
    device: { hostname: record.node, type_id: 1, type: 'Server' },
    log_name: record.log,
    log_provider: PRODUCT.name,
    log_type_id: 2,
    log_type: 'Application',
  };
}

/** One sentence without a personal word, for the list of events. */
function messageOf({ kind, method, upstream, tool, decision, outcome, refusal }: AuditRecord): string {
  const target = tool === null ? method : `${upstream ?? ''}/${tool}`;
  return [kind, target, decision, outcome, refusal?.code].filter(Boolean).join(' ');
}
