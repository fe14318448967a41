import type { Bus, Replica } from '@warder/bus';
import {
  connectionStateTopic,
  grantStateTopic,
  guardrailRulesStateTopic,
  policySnapshotTopic,
  principalStateTopic,
  signingKeyStateTopic,
  tokenStateTopic,
  toolDefinitionDiscoveredTopic,
  toolDefinitionVerdictTopic,
  trustedIssuerStateTopic,
  upstreamAuthStateTopic,
} from '@warder/contracts';
import { Refusal } from '../pipeline/refusal.js';
import type { NodeState } from './node-state.js';

/** What has an owner who says when all of it has been read. */
const OWNED = ['principals', 'tokens', 'keys', 'grants', 'issuer', 'policy', 'rules', 'verdicts'].concat([
  'connections',
  'upstream auths',
]);
/** By which identity says who is let in no more: as fresh as the stalest of them. */
const REVOKING = ['principals', 'tokens', 'grants'];
/** Milliseconds that a node with a last-good copy waits for owners to answer before it serves from the copy. */
const OWNERS_PATIENCE_MS = 10_000;
/**
 * Milliseconds after the start until a bus that has not answered counts as away. A broker that is there answers within
 * one of them; until then nobody knows, and the copy may hold what was revoked while this node was down.
 */
const BUS_PATIENCE_MS = 3_000;

/** The replicas of one node: what feeds its state, how fresh that is, and whether it may be used. */
export class Replication {
  private readonly replicas = new Map<string, Replica>();
  private identityHeardAtMs = -Infinity;
  private hasLastGood = false;
  private isRead = false;
  private startedAtMs = Infinity;

  constructor(
    private readonly bus: Bus,
    private readonly state: NodeState,
    private readonly clock: { wallMs(): number; monotonicMs(): number },
  ) {}

  /** Says that the state was loaded from disk, with the age that it has. @param heardAtMs - wall milliseconds */
  loadedLastGood(heardAtMs: number): void {
    this.hasLastGood = true;
    this.identityHeardAtMs = Math.min(heardAtMs, this.clock.wallMs());
  }

  /** Begins to follow every state topic; resolves when all are followed, not when they are read. */
  async start(): Promise<void> {
    const { bus, state } = this;
    this.startedAtMs = this.clock.monotonicMs();
    const follow = async (name: string, replica: Promise<Replica>) => void this.replicas.set(name, await replica);
    // All at once: a bus that is away costs each of them its patience.
    await Promise.all([
      follow(
        'principals',
        bus.replica(principalStateTopic, (id, value) => state.applyPrincipal(id, value)),
      ),
      follow(
        'tokens',
        bus.replica(tokenStateTopic, (digest, value) => state.applyToken(digest, value)),
      ),
      follow(
        'keys',
        bus.replica(signingKeyStateTopic, (id, value) => state.applyKey(id, value)),
      ),
      follow(
        'grants',
        bus.replica(grantStateTopic, (id, value) => state.applyGrant(id, value)),
      ),
      follow(
        'issuer',
        bus.replica(trustedIssuerStateTopic, (key, value) => state.applyIssuer(key, value)),
      ),
      follow(
        'policy',
        bus.replica(policySnapshotTopic, (_key, value) => state.applyPolicy(value)),
      ),
      follow(
        'rules',
        bus.replica(guardrailRulesStateTopic, (pack, value) => state.applyRules(pack, value)),
      ),
      follow(
        'verdicts',
        bus.replica(toolDefinitionVerdictTopic, (upstream, value) => state.applyVerdicts(upstream, value)),
      ),
      follow(
        'connections',
        bus.replica(connectionStateTopic, (id, value) => state.applyConnection(id, value)),
      ),
      follow(
        'upstream auths',
        bus.replica(upstreamAuthStateTopic, (upstream, value) => state.applyUpstreamAuth(upstream, value)),
      ),
      // Nobody owns the catalogues: every node writes what it found, so there is no marker to wait for.
      follow(
        'catalogues',
        bus.replica(toolDefinitionDiscoveredTopic, (up, value) => state.applyCatalogue(up, value)),
      ),
    ]);
  }

  /**
   * Whether calls may be decided on what is known. Without a word from the owners a last-good copy serves only if the
   * bus is away, or the owners stay silent: a copy may still hold what was revoked while this node was down.
   * @throws Refusal WDR_STATE_NOT_READY
   */
  ensureUsable(): void {
    if (this.isUsable()) return;
    const detail = `not read yet: ${this.waitingFor().join(', ')}`;
    throw new Refusal('WDR_STATE_NOT_READY', 'The gateway is starting, try again in a moment', detail, {
      retryAfterMs: 1_000,
    });
  }

  /** True, or what is missing in words. */
  readiness(): true | string {
    if (this.state.isReaderTooOld) return 'a policy came that only a later version of this program can read';
    const unreadable = this.replicas.get('policy')?.unreadableKeys() ?? [];
    if (unreadable.length > 0) return 'a policy came that this program cannot read';
    return this.isUsable() || `not read yet: ${this.waitingFor().join(', ')}`;
  }

  /** Milliseconds since identity was heard, on the bus or by the node that wrote the copy. @param nowMs - wall */
  identitySilenceMs(nowMs: number): number {
    return nowMs - this.heardAtMs(nowMs);
  }

  /** Wall milliseconds at which identity was last heard; -Infinity: never. */
  heardAtMs(nowMs: number): number {
    const staleMs = REVOKING.map((name) => this.replicas.get(name)?.staleMs(nowMs) ?? Infinity);
    return Math.max(this.identityHeardAtMs, nowMs - Math.max(...staleMs));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.replicas.values()].map((replica) => replica.stop()));
  }

  private isUsable(): boolean {
    // Asked at every call: what has been read once stays read.
    if (this.isRead) return true;
    this.isRead = this.waitingFor().length === 0;
    if (this.isRead) return true;
    if (!this.hasLastGood) return false;
    const patienceMs = this.bus.isConnected() ? OWNERS_PATIENCE_MS : BUS_PATIENCE_MS;
    return this.clock.monotonicMs() - this.startedAtMs > patienceMs;
  }

  private waitingFor(): string[] {
    return OWNED.filter((name) => this.replicas.get(name)?.isReady() !== true);
  }
}
