import type { PrincipalState, TokenState } from '@warder/contracts';
import { AddressScope } from './address-scope.js';
import { TokenDigester } from './token-digest.js';
import { isWellFormed, TOKEN_CHARS } from './token-text.js';

/** The digester takes texts of this length, all ASCII. */
const MAY_BE_TOKEN = new RegExp(`^[\\x21-\\x7e]{${TOKEN_CHARS}}$`);

/** Secrets by their key id, the current one first: a lookup tries them in this order. */
export type Peppers = Readonly<Record<string, string>>;

export interface Identified {
  readonly principal: PrincipalState;
  readonly token: TokenState;
}

/** Why a bearer was refused; for the record and the operator, never for the one who presented it. */
export type Unidentified =
  | 'malformed'
  | 'unknown'
  | 'revoked'
  | 'expired'
  | 'address-outside'
  | 'principal-unknown'
  | 'principal-suspended'
  | 'principal-removed';

/**
 * What stopped being accepted: one token, by one of its secrets where it says which; every token of a principal; or
 * what was signed in before a time (wall milliseconds).
 */
export type Revoked =
  | { readonly tokenId: string; readonly generation?: number | undefined }
  | { readonly principalId: string; readonly signedInBeforeMs?: number | undefined };

export interface DirectoryBounds {
  /** Entries past the bound are not taken in, so their tokens are refused. */
  readonly principalsMax: number;
  readonly tokensMax: number;
  /** Milliseconds that an expired token is remembered, for clocks that disagree. */
  readonly skewMs: number;
}

export const DIRECTORY_BOUNDS: DirectoryBounds = { principalsMax: 200_000, tokensMax: 1_000_000, skewMs: 300_000 };

/**
 * Who may act, in memory: an allow-list fed by the principal and token topics. It knows nothing of the bus; it applies
 * a version only if it is higher than the one it has, and what it does not know it refuses.
 */
export class PrincipalDirectory {
  private readonly principals = new Map<string, PrincipalState>();
  private readonly tokens = new Map<string, TokenState>();
  /** Ids of principals by who they say to be elsewhere: more than one is nobody. */
  private readonly bySubject = new Map<string, readonly string[]>();
  private readonly addressScopes = new WeakMap<TokenState, AddressScope>();
  private readonly expiryTold = new Set<string>();
  private readonly listeners = new Set<(what: Revoked) => void>();
  private readonly peppers: readonly (readonly [keyId: string, digester: TokenDigester])[];
  private refusedEntries = 0;

  /** @throws Error without a pepper, or with one shorter than 32 characters */
  constructor(
    peppers: Peppers,
    private readonly bounds: DirectoryBounds = DIRECTORY_BOUNDS,
  ) {
    const entries = Object.entries(peppers);
    if (entries.length === 0) throw new Error('a principal directory needs a pepper');
    if (entries.some(([, secret]) => secret.length < 32)) throw new Error('a pepper has 32 characters or more');
    this.peppers = entries.map(([keyId, secret]) => [keyId, new TokenDigester(secret)]);
  }

  /** Takes in a principal; tells the listeners when it stops being active. */
  applyPrincipal(id: string, state: PrincipalState): void {
    const known = this.principals.get(id);
    if (known !== undefined && state.version <= known.version) return;
    if (known === undefined && this.principals.size >= this.bounds.principalsMax) {
      this.refusedEntries += 1;
      return;
    }
    this.principals.set(id, state);
    this.indexSubjects(id, known, state);
    if (known?.status !== 'active') return;
    if (state.status !== 'active') return this.tell({ principalId: id });
    const signedInBeforeMs = state.signedOutAtMs ?? 0;
    if (signedInBeforeMs > (known.signedOutAtMs ?? 0)) this.tell({ principalId: id, signedInBeforeMs });
  }

  /** Takes in a token under its digest; tells the listeners when it stops being active. */
  applyToken(digest: string, state: TokenState): void {
    const known = this.tokens.get(digest);
    if (known !== undefined && state.version <= known.version) return;
    if (known === undefined && this.tokens.size >= this.bounds.tokensMax) {
      this.refusedEntries += 1;
      return;
    }
    this.tokens.set(digest, state);
    if (known?.status === 'active' && state.status !== 'active') this.tell(secretOf(state));
  }

  /**
   * The principal and token behind a bearer, or `undefined` where it is not accepted.
   * @param nowMs - wall milliseconds
   * @param address - of whoever presents it, as the door sees it
   */
  find(bearer: string, nowMs: number, address: string): Identified | undefined {
    const answer = this.examine(bearer, nowMs, address);
    return typeof answer === 'string' ? undefined : answer;
  }

  /**
   * As `find`, with the reason of a refusal.
   * @param nowMs - wall milliseconds
   * @param address - of whoever presents it, as the door sees it
   */
  examine(bearer: string, nowMs: number, address: string): Identified | Unidentified {
    if (!MAY_BE_TOKEN.test(bearer)) return 'malformed';
    // What is found was issued, so its checksum is asked for only where nothing is found.
    const token = this.tokenOf(bearer);
    if (token === undefined) return isWellFormed(bearer) ? 'unknown' : 'malformed';
    if (token.status !== 'active') return 'revoked';
    if (token.expiresAtMs <= nowMs) return 'expired';
    const principal = this.principals.get(token.principalId);
    if (principal === undefined) return 'principal-unknown';
    if (principal.status !== 'active') return `principal-${principal.status}`;
    if (!this.isWithinAddresses(token, address)) return 'address-outside';
    return { principal, token };
  }

  /** Whose bearer it is, be it accepted or not: for the record of one that was refused. */
  holderOf(bearer: string): Identified | undefined {
    const token = MAY_BE_TOKEN.test(bearer) ? this.tokenOf(bearer) : undefined;
    const principal = token && this.principals.get(token.principalId);
    return principal && { principal, token };
  }

  /** A principal as it was last heard of, whatever its status. */
  principalById(id: string): PrincipalState | undefined {
    return this.principals.get(id);
  }

  /**
   * The principal who is the subject elsewhere, whatever its status; undefined where nobody is, or two are.
   * @param provider - id of the sign-in provider, or `scim`
   */
  principalBySubject(provider: string, subject: string): PrincipalState | undefined {
    const [id, ...others] = this.bySubject.get(subjectKey(provider, subject)) ?? [];
    return id === undefined || others.length > 0 ? undefined : this.principals.get(id);
  }

  /** A token by its latest secret, as it was last heard of, whatever its status. By scan: it is for `explain`, no call asks it. */
  tokenById(id: string): TokenState | undefined {
    let found: TokenState | undefined;
    for (const token of this.tokens.values()) {
      if (token.id === id && (found === undefined || generationOf(token) > generationOf(found))) found = token;
    }
    return found;
  }

  /** Every principal that the directory knows, whatever its status. */
  allPrincipals(): Iterable<PrincipalState> {
    return this.principals.values();
  }

  /**
   * Calls the listener after a token or principal stopped being accepted, once per change; `find` already refuses it.
   * @returns how to stop listening
   */
  onRevoked(listener: (what: Revoked) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Tells the listeners of tokens that expired, and forgets those whose expiry is more than the skew ago. Call it
   * every few seconds; `find` needs no sweep to refuse.
   * @param nowMs - wall milliseconds
   */
  sweep(nowMs: number): void {
    const expired: Revoked[] = [];
    for (const [digest, token] of this.tokens) {
      if (token.expiresAtMs > nowMs) continue;
      if (token.status === 'active' && !this.expiryTold.has(digest)) {
        this.expiryTold.add(digest);
        expired.push(secretOf(token));
      }
      if (token.expiresAtMs + this.bounds.skewMs > nowMs) continue;
      this.tokens.delete(digest);
      this.expiryTold.delete(digest);
    }
    for (const secret of expired) this.tell(secret);
  }

  /** Entries held, and how many were not taken in because of the bounds. */
  size(): { principals: number; tokens: number; refusedEntries: number } {
    return { principals: this.principals.size, tokens: this.tokens.size, refusedEntries: this.refusedEntries };
  }

  private indexSubjects(id: string, known: PrincipalState | undefined, state: PrincipalState): void {
    for (const { provider, subject } of subjectsOf(known)) {
      const key = subjectKey(provider, subject);
      const left = (this.bySubject.get(key) ?? []).filter((each) => each !== id);
      if (left.length > 0) this.bySubject.set(key, left);
      else this.bySubject.delete(key);
    }
    for (const { provider, subject } of subjectsOf(state)) {
      const key = subjectKey(provider, subject);
      const others = (this.bySubject.get(key) ?? []).filter((each) => each !== id);
      this.bySubject.set(key, [...others, id]);
    }
  }

  private tokenOf(bearer: string): TokenState | undefined {
    for (const [keyId, digester] of this.peppers) {
      const token = this.tokens.get(digester.digestOf(bearer));
      if (token !== undefined && token.pepperKeyId === keyId) return token;
    }
    return undefined;
  }

  private isWithinAddresses(token: TokenState, address: string): boolean {
    const networks = token.scopes.addresses ?? null;
    if (networks === null) return true;
    let scope = this.addressScopes.get(token);
    if (scope === undefined) this.addressScopes.set(token, (scope = new AddressScope(networks)));
    return scope.has(address);
  }

  /** Every listener hears of it, even when one before it throws: a cut that reaches half the streams is no cut. */
  private tell(what: Revoked): void {
    const errors: unknown[] = [];
    for (const listener of this.listeners) {
      try {
        listener(what);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'a revocation listener failed');
  }
}

/** Who was removed is nobody elsewhere any more: the subject may be somebody made anew. */
function subjectsOf(state: PrincipalState | undefined): NonNullable<PrincipalState['subjects']> {
  return state === undefined || state.status === 'removed' ? [] : (state.subjects ?? []);
}

function subjectKey(provider: string, subject: string): string {
  return `${provider}/${subject}`;
}

/** Which secret of its token it is, from 1. */
export function generationOf(token: { readonly generation?: number | undefined }): number {
  return token.generation ?? 1;
}

function secretOf(token: TokenState): Revoked {
  return { tokenId: token.id, generation: generationOf(token) };
}
