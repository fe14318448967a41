import {
  type ConnectionState,
  connectionStateTopic,
  leaseGrantedTopic,
  leaseRequestedTopic,
  nodeAnnouncedTopic,
  nodeEnrolledTopic,
} from '@warder/contracts';
import type { AdminAccess } from '@warder/admin-access';
import type { NamedSecrets } from '@warder/secrets';
import type { Host } from '@warder/service-host';
import { NodeDesk } from '../nodes/node-desk.js';
import { NodeRegistry } from '../nodes/node-registry.js';
import type { NodesStore } from '../nodes/nodes.store.js';
import { LeaseDesk } from './lease-desk.js';
import type { LeaseSource } from './lease-source.js';
import { StaticLeaseSource } from './static-lease-source.js';

export interface DeliveryParts {
  readonly nodes: Pick<NodesStore, 'admit'>;
  readonly secrets: Pick<NamedSecrets, 'get'>;
  /** Of other kinds of connections than static ones. */
  readonly sources: readonly LeaseSource[];
  readonly refused: AdminAccess['refused'];
  readonly leaseMs: number;
}

/** Tells those who hold a lease of the connection that there is another one. */
export type TellChanged = (connectionId: string) => Promise<void>;

/**
 * Begins to take announcements of nodes and to answer their requests for leases. Nothing of it waits for the bus, and
 * nothing needs the database but the enrolment of a node.
 */
export async function startDelivery(host: Host, parts: DeliveryParts): Promise<TellChanged> {
  const { bus, clock, log } = host;
  const wallMs = () => clock.wallMs();
  const registry = new NodeRegistry();
  const connections = new Map<string, ConnectionState>();
  const replicas = await Promise.all([
    bus.replica(nodeEnrolledTopic, (node, state) => registry.apply(node, state)),
    bus.replica(connectionStateTopic, (id, state) => void connections.set(id, state)),
  ]);
  const announcements = new NodeDesk({
    registry,
    admit: (announced) => parts.nodes.admit(announced),
    refused: (node, reason) => note(parts.refused, node, nodeAnnouncedTopic.name, reason),
    failed: (error) => log.error({ err: error }, 'a node could not be enrolled'),
    wallMs,
  });
  const watching = [await bus.watch(nodeAnnouncedTopic, 'end', ({ value }) => announcements.take(value))];
  host.onDrain('delivery', async () => {
    await Promise.all([...watching, ...replicas].map((each) => each.stop()));
    await announcements.idle();
  });
  const { signingKey: signer } = host;
  if (signer === undefined) {
    log.warn('bus.signing names no key: no lease can be signed, and no node gets a credential');
    return async () => {};
  }
  const failed = (connectionId: string, error: unknown) => log.error({ err: error, connectionId }, 'no lease of it');
  const desk = new LeaseDesk({
    sources: [new StaticLeaseSource(connections, parts.secrets, failed), ...parts.sources],
    registry,
    isReady: () => replicas.every((replica) => replica.isReady()),
    signer,
    publish: (granted) => bus.publish(leaseGrantedTopic, granted.node, granted),
    refused: (node, reason) => note(parts.refused, node, leaseRequestedTopic.name, reason),
    leaseMs: parts.leaseMs,
    wallMs,
  });
  const take = (work: Promise<void>) =>
    work.catch((error: unknown) => log.warn({ err: error }, 'a lease was not sent'));
  watching.push(await bus.watch(leaseRequestedTopic, 'end', ({ value }) => void take(desk.take(value))));
  return (connectionId) => take(desk.changed(connectionId));
}

/** A message that was refused is told like a request at the door: counted, and as one record for many alike. */
function note(refused: AdminAccess['refused'], node: string, topic: string, reason: string): void {
  refused.note({
    kind: 'authentication',
    by: { principal: null, token: null, address: node },
    arguments: { method: 'PUBLISH', route: `/admin/credentials/${topic}` },
    refusal: { code: 'WDR_NODE_REFUSED', detail: reason, isForbidden: true },
  });
}
