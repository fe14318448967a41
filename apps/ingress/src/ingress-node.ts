import {
  approvalAnsweredTopic,
  approvalRequestedTopic,
  auditRecordedTopic,
  callCancelledTopic,
  connectionStateTopic,
  grantStateTopic,
  guardrailRulesStateTopic,
  leaseGrantedTopic,
  leaseRequestedTopic,
  nodeAnnouncedTopic,
  nodeAppliedTopic,
  nodeEnrolledTopic,
  policySnapshotTopic,
  principalStateTopic,
  runStateTopic,
  signingKeyStateTopic,
  tokenStateTopic,
  tokenUsedTopic,
  toolDefinitionDiscoveredTopic,
  toolDefinitionVerdictTopic,
  trustedIssuerStateTopic,
  upstreamAuthStateTopic,
} from '@warder/contracts';
import type { Host } from '@warder/service-host';
import type { NodeApprovals } from './approvals/node-approvals.js';
import { makeApprovals } from './approvals/make-approvals.js';
import { derivedKey } from './derived-key.js';
import { resourceOf } from './downstream/protected-resource.js';
import { LegacySessions } from './downstream/legacy-sessions.js';
import { OpenSubscriptions } from './downstream/open-subscriptions.js';
import { RunningOperations } from './downstream/running-operations.js';
import { startFlow, type StartedFlow } from './flow/start-flow.js';
import type { IngressConfig } from './ingress-config.js';
import type { Gateway } from './pipeline/gateway.js';
import { PrincipalQuotas } from './quota/principal-quotas.js';
import { Recorder } from './record/recorder.js';
import { reportJournal } from './report-journal.js';
import { startDoor } from './start-door.js';
import { startRecords, type StartedRecords } from './start-records.js';
import { measurePropagation } from './measure-propagation.js';
import { startState, type StartedState } from './start-state.js';
import { ReadyLists } from './state/ready-lists.js';

const SERVER = { name: 'warder', version: '0.1.0' } as const;

const TOPICS = [
  approvalAnsweredTopic,
  approvalRequestedTopic,
  auditRecordedTopic,
  callCancelledTopic,
  connectionStateTopic,
  grantStateTopic,
  guardrailRulesStateTopic,
  leaseGrantedTopic,
  leaseRequestedTopic,
  nodeAnnouncedTopic,
  nodeAppliedTopic,
  nodeEnrolledTopic,
  policySnapshotTopic,
  principalStateTopic,
  runStateTopic,
  signingKeyStateTopic,
  tokenStateTopic,
  tokenUsedTopic,
  toolDefinitionDiscoveredTopic,
  toolDefinitionVerdictTopic,
  trustedIssuerStateTopic,
  upstreamAuthStateTopic,
];

/** Starts one ingress node: what it writes down, what it knows, and then its door. */
export async function startIngressNode(config: IngressConfig, host: Host): Promise<void> {
  const running = new RunningOperations(config.limits.runningMax);
  // Not waited for: a bus that is away must not keep a node with a last-good copy from its work.
  const topics = host.bus.ensureTopics(TOPICS);
  const records = await startRecords(config, host);
  const subscriptions = new OpenSubscriptions({
    limits: config.limits,
    clock: host.clock,
    isStale: (nowMs) => known.watchdog.isClosed(nowMs),
    onBug: (error) => host.log.error({ err: error }, 'a stream of changes failed for a reason that is a bug'),
  });
  const known: StartedState = await startState(config, host, running, subscriptions);
  const isCurrent = (): boolean => known.replication.readiness() === true;
  measurePropagation(host, (listener) => known.state.callers.onRevoked(listener), isCurrent);
  const key = derivedKey(config.sessionKey, 'session');
  const sessions = new LegacySessions(host.node, key, config.limits.sessionAgeMaxMs, () => host.clock.wallMs());
  const approvals = makeApprovals(config, host, () => known.state.guardrails());
  const runs = startFlow(config, host);
  const gateway = gatewayOf(config, host, { ...records, ...known, sessions, subscriptions, approvals, ...runs });
  reportHealth(host, { ...known, running, subscriptions });
  reportJournal(config, host, records.journal);
  const cancellations = startDoor(config, host, {
    gateway,
    sessions,
    running,
    subscriptions,
    counter: records.counter,
    issuer: () => known.state.callers.trustedIssuer(),
  });
  await Promise.all([
    topics,
    known.replication.start(),
    known.delivery.start(),
    cancellations.start(),
    approvals.start(),
    runs.listen(),
  ]);
}

function gatewayOf(
  config: IngressConfig,
  host: Host,
  parts: StartedRecords &
    StartedState &
    StartedFlow & {
      readonly sessions: LegacySessions;
      readonly subscriptions: OpenSubscriptions;
      readonly approvals: NodeApprovals;
    },
): Gateway {
  const { state, replication, watchdog, writer, counter } = parts;
  const isStrict = (virtualServer: string) => state.policy().isStrict(virtualServer);
  const guardrails = () => state.guardrails();
  // An address's origin is made anew each time that it is read.
  const { origin } = host.door.publicUrl();
  const resource = (virtualServer: string) => resourceOf(origin, virtualServer);
  return {
    tokens: {
      examine: (bearerToken, virtualServer, nowMs, address) =>
        state.callers.examine(bearerToken, resource(virtualServer), nowMs, address),
      holderOf: (bearerToken) => state.callers.holderOf(bearerToken),
      isStale: (nowMs) => watchdog.isClosed(nowMs),
    },
    quotas: new PrincipalQuotas(config.limits.principalsMax),
    policy: () => {
      replication.ensureUsable();
      return state.policy();
    },
    guardrails,
    providers: parts.providers,
    flow: parts.flow,
    leases: parts.delivery.leases,
    approvals: parts.approvals,
    upstreams: parts.pool,
    journal: new Recorder({ node: host.node, journal: writer, counter, guardrails, isStrict }),
    lists: new ReadyLists(SERVER),
    sessions: parts.sessions,
    subscriptions: parts.subscriptions,
    face: { server: SERVER, capabilities: { tools: { listChanged: true } } },
    clock: host.clock,
  };
}

function reportHealth(
  host: Host,
  parts: StartedState & { readonly running: RunningOperations; readonly subscriptions: OpenSubscriptions },
): void {
  const { replication, watchdog, state, running, subscriptions } = parts;
  host.readiness('state', () => replication.readiness());
  host.readiness('identity', () => {
    const nowMs = host.clock.wallMs();
    if (watchdog.isClosed(nowMs)) return 'identity has been silent for too long: nobody is let in';
    // Every node at once hears nothing: taking them all out of service would stop the calls that must go on.
    return !watchdog.isDegraded(nowMs) || { degraded: 'identity is silent: revocations may be missed' };
  });
  const gauge = (name: string, help: string, read: () => number) => {
    const made = host.metrics.gauge(name, help);
    const timer = setInterval(() => made.set(read()), 1_000).unref();
    host.onDrain(name, async () => clearInterval(timer));
  };
  gauge('warder_identity_silence_seconds', 'Seconds since identity was heard', () =>
    Math.max(0, replication.identitySilenceMs(host.clock.wallMs()) / 1_000),
  );
  gauge('warder_running_operations', 'Operations that run on this node', () => running.size);
  gauge('warder_open_subscriptions', 'Streams of changes that stand open on this node', () => subscriptions.size);
  gauge(
    'warder_unknown_detectors',
    'Detectors that rules name and this build lacks',
    () => state.unknownDetectors().length,
  );
}
