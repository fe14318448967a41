import { isStaticConnection, policySnapshotTopic, toolDefinitionDiscoveredTopic } from '@warder/contracts';
import type { Host } from '@warder/service-host';
import { AccessTokens, Callers, exactHashes, PrincipalDirectory } from '@warder/tokens';
import { derivedKey } from './derived-key.js';
import { originOf } from './downstream/protected-resource.js';
import type { OpenSubscriptions } from './downstream/open-subscriptions.js';
import type { RunningOperations } from './downstream/running-operations.js';
import type { IngressConfig } from './ingress-config.js';
import { startLeases, type StartedLeases } from './leases/start-leases.js';
import { LastGoodFile } from './state/last-good-file.js';
import { NodeState, type StateListeners } from './state/node-state.js';
import { Replication } from './state/replication.js';
import { Watchdog } from './state/watchdog.js';
import { readStdioEntries } from './upstreams/stdio-entries.js';
import { NodeProviders } from './providers/node-providers.js';
import { UpstreamPool } from './upstreams/upstream-pool.js';

/** Milliseconds between two looks for tokens that expired: what they have running ends within that time. */
const SWEEP_EVERY_MS = 1_000;

/** What a node knows, and the upstreams that follow from it. */
export interface StartedState {
  readonly state: NodeState;
  readonly replication: Replication;
  readonly watchdog: Watchdog;
  readonly delivery: StartedLeases;
  readonly pool: UpstreamPool;
  readonly providers: NodeProviders;
}

/**
 * Loads the last-good copy and makes ready what follows the bus.
 * @param running - told after a token or principal stopped being accepted, or a connection ended
 * @param subscriptions - told of the same, and when what somebody may see may be something else
 */
export async function startState(
  config: IngressConfig,
  host: Host,
  running: Pick<RunningOperations, 'revoke' | 'revokeConnection'>,
  subscriptions: Pick<OpenSubscriptions, 'revoke' | 'seen'>,
): Promise<StartedState> {
  const { clock, log, bus } = host;
  const key = derivedKey(config.sessionKey, 'replica');
  const lastGood = new LastGoodFile(config.replicaFile, key, () => clock.wallMs(), log);
  const access = new AccessTokens(() => originOf(host.door.publicUrl()));
  const callers = new Callers(new PrincipalDirectory(config.peppers), access);
  callers.onRevoked((what) => running.revoke(what));
  callers.onRevoked((what) => subscriptions.revoke(what));
  const delivery = startLeases(config, host);
  const { leases } = delivery;
  callers.onRevoked((what) => {
    if ('principalId' in what && what.signedInBeforeMs === undefined) leases.endPrincipal(what.principalId);
  });
  const stdioEntries = await readStdioEntries(config.stdioFile);
  const pool: UpstreamPool = new UpstreamPool({
    node: host.node,
    stdioEntries,
    // A node that is not told where it is has no such upstream.
    builtIn: new Map(config.audit === undefined ? [] : [['audit', `${config.audit.url.replace(/\/$/, '')}/mcp`]]),
    leases,
    discoveryEveryMs: config.limits.discoveryEveryMs,
    catalogueOf: (upstream) => state.catalogueOf(upstream),
    publishCatalogue: async (catalogue) => {
      // The node's own finding counts at once: a bus that is away must not hide a tool that is there.
      state.applyCatalogue(catalogue.upstream, catalogue);
      await bus.publish(toolDefinitionDiscoveredTopic, catalogue.upstream, catalogue);
    },
    clock,
    log,
  });
  const providers = new NodeProviders({ leases, metrics: host.metrics, clock, log });
  const listeners: StateListeners = {
    onPolicy: (view) => {
      pool.apply(view.compiled.upstreams);
      providers.apply(view.guardrailProviders);
      bus.applied(policySnapshotTopic, view.version);
    },
    onConnection: (connection) => {
      leases.apply(connection);
      const { status } = connection;
      if (status !== 'revoked' && status !== 'disconnected') return;
      const principalId = isStaticConnection(connection) ? null : connection.principalId;
      running.revokeConnection(leases.upstreamsOf(connection), principalId);
    },
    onUpstreamAuth: (auth) => leases.applyAuth(auth),
    onSeen: (principalId) => subscriptions.seen(principalId),
    onChanged: () => lastGood.changed(),
  };
  const state = new NodeState(callers, listeners, exactHashes(config.peppers));
  const replication = new Replication(bus, state, clock);
  const watchdog = new Watchdog(config.watchdog, (nowMs) => replication.identitySilenceMs(nowMs));
  const sweeper = setInterval(() => state.sweep(clock.wallMs()), SWEEP_EVERY_MS).unref();
  host.onDrain('state', async () => {
    clearInterval(sweeper);
    await replication.stop();
    await lastGood.close();
  });
  host.onDrain('upstreams', async () => void (await Promise.all([pool.close(), providers.close()])));
  await lastGood.load(state, replication);
  tellCataloguesAgain(host, state);
  return { state, replication, watchdog, delivery, pool, providers };
}

/**
 * Nobody owns the catalogues, and the same tools are not told of again: a bus of this process has forgotten them, and on any
 * other who starts later does not believe what was signed by a certificate that has ended.
 */
function tellCataloguesAgain({ bus, broker, enrolment, log }: Host, state: NodeState): void {
  const tell = async (): Promise<void> => {
    for (const catalogue of state.image().catalogues)
      await bus.publish(toolDefinitionDiscoveredTopic, catalogue.upstream, catalogue);
  };
  enrolment?.onRotated(tell);
  if (broker === undefined)
    tell().catch((error: unknown) => log.warn({ err: error }, 'the tools that were known could not be told'));
}
