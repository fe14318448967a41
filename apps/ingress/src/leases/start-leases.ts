import { ConfigError, Enrolment, type Host, IdentityFile } from '@warder/service-host';
import { onBehalfBearer } from '@warder/tokens';
import type { IngressConfig } from '../ingress-config.js';
import { HeldLeases } from './held-leases.js';
import { NodeLeases } from './node-leases.js';
import { SealedLeaseChannel } from './sealed-lease-channel.js';
import { SealingKeys } from './sealing-keys.js';

const SWEEP_EVERY_MS = 1_000;

export interface StartedLeases {
  readonly leases: NodeLeases;
  /** Begins to listen and to enrol; resolves when the bus is there, or is given up on for now. */
  start(): Promise<void>;
}

/** Makes the leases of this node and what they need: its identity, its keys, its ears. */
export function startLeases(config: IngressConfig, host: Host): StartedLeases {
  const { bus, node, clock, log } = host;
  const { identityFile, joinToken, ...bounds } = config.leases;
  const wallMs = () => clock.wallMs();
  // On a broker the process is known by one key, whatever it says there; on the bus of one process for leases alone.
  const enrolment = host.enrolment ?? ownEnrolment(identityFile, joinToken, host);
  const refusedLeases = host.metrics.counter('warder_leases_refused_total', 'Leases that came and were not taken');
  const refused = (reason: string) => {
    refusedLeases.inc();
    log.error({ reason }, 'a lease came that this node does not take');
  };
  const channel = new SealedLeaseChannel({
    bus,
    node,
    identity: () => enrolment.identity(),
    credentialsKeys: () => host.publicKeysOf('credentials'),
    keys: new SealingKeys(wallMs),
    refused,
    wallMs,
  });
  const held = new HeldLeases(channel, bounds, wallMs);
  channel.onCame((came) => {
    const rejection = held.take(came);
    // Another process of credentials may have answered first, and its answer be the one that is held.
    if (rejection === 'unasked') log.debug({ connectionId: came.connectionId }, 'a lease came that nobody waits for');
    else if (rejection !== undefined) refused(rejection);
  });
  const leases = new NodeLeases({
    own: ownCredentials(config),
    held,
    connectUrl: (upstream) => new URL(`/connections/connect/${upstream}`, host.door.publicUrl()).href,
  });
  host.readiness('leases', () => {
    if (!leases.hasConnections()) return true;
    if (enrolment.identity() === undefined)
      return { degraded: 'this node is not enrolled: upstreams that need a credential cannot be called' };
    const { unanswered } = held;
    return (
      unanswered === 0 || { degraded: `credentials does not answer: ${unanswered} connections have no lease here` }
    );
  });
  const sweeper = setInterval(() => held.sweep(), SWEEP_EVERY_MS).unref();
  host.onDrain('leases', async () => {
    clearInterval(sweeper);
    await Promise.all([channel.stop(), host.enrolment ?? enrolment.stop()]);
    held.clear();
  });
  return {
    leases,
    start: async () => void (await Promise.all([channel.start(), host.enrolment ?? enrolment.start()])),
  };
}

function ownEnrolment(identityFile: string | undefined, joinToken: string | undefined, host: Host): Enrolment {
  if (identityFile === undefined) throw new ConfigError('leases.identityFile is required without bus.signing');
  const { bus, node, clock, log } = host;
  const file = new IdentityFile(identityFile, 'leases.identityFile');
  return new Enrolment({ bus, node, service: 'ingress', file, joinToken, registrars: [], clock, log });
}

function ownCredentials({ audit }: IngressConfig) {
  if (audit === undefined) return new Map<string, never>();
  const askingFor = (principalId: string) => ({ authorization: `Bearer ${onBehalfBearer(audit.mcpKey, principalId)}` });
  return new Map([['audit', askingFor]]);
}
