import {
  type ConnectionState,
  type DefinitionVerdicts,
  type GrantState,
  type GuardrailRulesState,
  POLICY_READER,
  type PolicySnapshot,
  type PrincipalState,
  type SigningKeyState,
  type TokenState,
  type TrustedIssuerState,
  type UpstreamCatalogue,
  type UpstreamAuthState,
} from '@warder/contracts';
import { createEngine, type KeyedHash, type ScreeningEngine } from '@warder/detectors';
import { UpstreamPins } from '@warder/catalog';
import type { Callers } from '@warder/tokens';
import { Refusal } from '../pipeline/refusal.js';
import { CompiledPolicyView } from './compiled-policy-view.js';

/** Everything a node was told, as values that can be written down and applied again. */
export interface StateImage {
  readonly principals: readonly PrincipalState[];
  readonly tokens: readonly (readonly [digest: string, TokenState])[];
  /** Absent in a copy that an older build wrote. */
  readonly keys?: readonly SigningKeyState[];
  readonly grants?: readonly GrantState[];
  readonly issuers?: readonly (readonly [key: string, TrustedIssuerState])[];
  readonly policy: PolicySnapshot | null;
  readonly catalogues: readonly UpstreamCatalogue[];
  readonly rules: readonly GuardrailRulesState[];
  readonly connections: readonly ConnectionState[];
  /** Absent in a copy that an older build wrote. */
  readonly upstreamAuths?: readonly UpstreamAuthState[];
  readonly verdicts?: readonly DefinitionVerdicts[];
}

/** Milliseconds that an ended grant is remembered past its end, for clocks that disagree. */
const GRANT_SKEW_MS = 300_000;

/** Who hears of a change, after it counts. */
export interface StateListeners {
  onPolicy(view: CompiledPolicyView): void;
  onConnection(state: ConnectionState): void;
  onUpstreamAuth(state: UpstreamAuthState): void;
  /** What callers may see may be something else. @param principalId - of the only one it is about; undefined: everybody */
  onSeen(principalId?: string): void;
  /** Something changed; the copy on disk is out of date. */
  onChanged(): void;
}

/**
 * The node's copy of all state, compiled for deciding. A value is applied only if its version is higher than the one
 * held, whether it came from the bus or from disk, so that neither can bring back what the other revoked.
 */
export class NodeState {
  private readonly principals = new Map<string, PrincipalState>();
  private readonly tokens = new Map<string, TokenState>();
  private readonly keys = new Map<string, SigningKeyState>();
  private readonly grants = new Map<string, GrantState>();
  private readonly issuers = new Map<string, TrustedIssuerState>();
  private readonly catalogues = new Map<string, UpstreamCatalogue>();
  private readonly verdicts = new Map<string, DefinitionVerdicts>();
  private readonly pins = new Map<string, UpstreamPins>();
  private readonly rules = new Map<string, GuardrailRulesState>();
  private readonly connections = new Map<string, ConnectionState>();
  private readonly upstreamAuths = new Map<string, UpstreamAuthState>();
  private snapshot: PolicySnapshot | undefined;
  private view: CompiledPolicyView | undefined;
  private engine: ScreeningEngine | undefined;
  /** A policy came that this build is too old to read; the last readable one goes on. */
  isReaderTooOld = false;

  constructor(
    readonly callers: Callers,
    private readonly listeners: StateListeners,
    /** Of exact values, by the id of their key. */
    private readonly hashes: ReadonlyMap<string, KeyedHash> = new Map(),
  ) {}

  /** @throws Refusal WDR_STATE_NOT_READY before the first policy or rules */
  policy(): CompiledPolicyView {
    if (this.view === undefined) throw notReady('no policy has been read yet');
    return this.view;
  }

  /** @throws Refusal WDR_STATE_NOT_READY: without rules nothing can be called clean */
  guardrails(): ScreeningEngine {
    if (this.engine === undefined) throw notReady('no guardrail rules have been read yet');
    return this.engine;
  }

  applyPrincipal(id: string, state: PrincipalState): void {
    if (!isNewer(this.principals, id, state)) return;
    this.callers.applyPrincipal(id, state);
    this.listeners.onSeen(id);
    this.listeners.onChanged();
  }

  applyToken(digest: string, state: TokenState): void {
    if (!isNewer(this.tokens, digest, state)) return;
    this.callers.applyToken(digest, state);
    this.listeners.onSeen(state.principalId);
    this.listeners.onChanged();
  }

  applyKey(id: string, key: SigningKeyState): void {
    if (!isNewer(this.keys, id, key)) return;
    this.callers.applyKey(id, key);
    this.listeners.onSeen();
    this.listeners.onChanged();
  }

  applyGrant(id: string, grant: GrantState): void {
    if (!isNewer(this.grants, id, grant)) return;
    this.callers.applyGrant(id, grant);
    this.listeners.onChanged();
  }

  applyIssuer(key: string, issuer: TrustedIssuerState): void {
    if (!isNewer(this.issuers, key, issuer)) return;
    this.callers.applyIssuer(issuer);
    this.listeners.onSeen();
    this.listeners.onChanged();
  }

  applyPolicy(snapshot: PolicySnapshot): void {
    if (snapshot.version <= (this.snapshot?.version ?? 0)) return;
    this.isReaderTooOld = snapshot.minReader > POLICY_READER;
    if (this.isReaderTooOld) return;
    this.snapshot = snapshot;
    this.compile();
    this.listeners.onPolicy(this.policy());
    this.listeners.onChanged();
  }

  applyCatalogue(upstream: string, catalogue: UpstreamCatalogue): void {
    if (!isNewer(this.catalogues, upstream, catalogue)) return;
    this.compile();
    this.listeners.onChanged();
  }

  applyVerdicts(upstream: string, verdicts: DefinitionVerdicts): void {
    if (!isNewer(this.verdicts, upstream, verdicts)) return;
    this.pins.set(upstream, new UpstreamPins(verdicts));
    this.compile();
    this.listeners.onChanged();
  }

  applyRules(pack: string, rules: GuardrailRulesState): void {
    if (!isNewer(this.rules, pack, rules)) return;
    this.engine = createEngine([...this.rules.values()], this.hashes);
    this.listeners.onSeen();
    this.listeners.onChanged();
  }

  applyConnection(id: string, connection: ConnectionState): void {
    if (!isNewer(this.connections, id, connection)) return;
    this.listeners.onConnection(connection);
    this.listeners.onChanged();
  }

  applyUpstreamAuth(upstream: string, auth: UpstreamAuthState): void {
    if (!isNewer(this.upstreamAuths, upstream, auth)) return;
    this.listeners.onUpstreamAuth(auth);
    this.listeners.onChanged();
  }

  catalogueOf(upstream: string): UpstreamCatalogue | undefined {
    return this.catalogues.get(upstream);
  }

  /** Applies a whole image, as far as it is newer than what is held. */
  applyImage(image: StateImage): void {
    for (const principal of image.principals) this.applyPrincipal(principal.id, principal);
    for (const [digest, token] of image.tokens) this.applyToken(digest, token);
    for (const key of image.keys ?? []) this.applyKey(key.id, key);
    for (const grant of image.grants ?? []) this.applyGrant(grant.id, grant);
    for (const [key, issuer] of image.issuers ?? []) this.applyIssuer(key, issuer);
    for (const rules of image.rules) this.applyRules(rules.pack, rules);
    for (const auth of image.upstreamAuths ?? []) this.applyUpstreamAuth(auth.upstream, auth);
    for (const connection of image.connections) this.applyConnection(connection.id, connection);
    // Before the catalogues: what is hidden is at no moment shown.
    for (const verdicts of image.verdicts ?? []) this.applyVerdicts(verdicts.upstream, verdicts);
    for (const catalogue of image.catalogues) this.applyCatalogue(catalogue.upstream, catalogue);
    if (image.policy) this.applyPolicy(image.policy);
  }

  image(): StateImage {
    return {
      principals: [...this.principals.values()],
      tokens: [...this.tokens],
      keys: [...this.keys.values()],
      grants: [...this.grants.values()],
      issuers: [...this.issuers],
      policy: this.snapshot ?? null,
      catalogues: [...this.catalogues.values()],
      verdicts: [...this.verdicts.values()],
      rules: [...this.rules.values()],
      connections: [...this.connections.values()],
      upstreamAuths: [...this.upstreamAuths.values()],
    };
  }

  /** Forgets what can no longer be presented. @param nowMs - wall milliseconds */
  sweep(nowMs: number): void {
    this.callers.sweep(nowMs);
    for (const [id, { expiresAtMs }] of this.grants) if (expiresAtMs + GRANT_SKEW_MS <= nowMs) this.grants.delete(id);
  }

  /** Ids of detectors that the rules name and this build does not know. */
  unknownDetectors(): readonly string[] {
    return this.engine?.unknownDetectors ?? [];
  }

  private compile(): void {
    if (this.snapshot === undefined) return;
    this.view = CompiledPolicyView.of(this.snapshot, this.catalogues, this.pins, this.view);
    this.listeners.onSeen();
  }
}

/** Takes the value in if it is newer than the one held. */
function isNewer<V extends { version: number }>(held: Map<string, V>, key: string, value: V): boolean {
  if (value.version <= (held.get(key)?.version ?? 0)) return false;
  held.set(key, value);
  return true;
}

function notReady(detail: string): Refusal {
  return new Refusal('WDR_STATE_NOT_READY', 'The gateway is starting, try again in a moment', detail, {
    retryAfterMs: 1_000,
  });
}
