import type { GrantState, PrincipalState, SigningKeyState, TokenState, TrustedIssuerState } from '@warder/contracts';
import type { AccessRefused, AccessTokens, ClientGrant } from './access-tokens.js';
import { TrustedTokens } from './trusted-tokens.js';
import type { Identified, PrincipalDirectory, Revoked, Unidentified } from './principal-directory.js';

/** What a caller proved itself with; the agent of the record. */
export type Credential = TokenState | ClientGrant;

/** Whether the credential is an OAuth client's and not a token of one's own. */
export function isClientGrant(credential: Credential): credential is ClientGrant {
  return 'client' in credential;
}

/** Every signed token begins so, and no personal one does: `{"` in Base64. */
const SIGNED_START = 'eyJ';

/** Everybody who may call: with a personal access token, or through an OAuth client. No method falls through to another. */
export class Callers {
  private readonly listeners = new Set<(what: Revoked) => void>();
  /** Of the company's own authorization server, where one is trusted. */
  private readonly trusted = new TrustedTokens();

  constructor(
    private readonly directory: PrincipalDirectory,
    private readonly access: AccessTokens,
  ) {}

  /** Whether a bearer is a signed token, whoever signed it. */
  static isSigned(bearer: string): boolean {
    return bearer.startsWith(SIGNED_START);
  }

  /**
   * @param audience - the URL of the virtual server that is asked
   * @param nowMs - wall milliseconds
   * @param address - of whoever presents it, as the door sees it
   */
  examine(
    bearer: string,
    audience: string,
    nowMs: number,
    address: string,
  ): { readonly principal: PrincipalState; readonly token: Credential } | Unidentified | AccessRefused {
    if (!Callers.isSigned(bearer)) return this.directory.examine(bearer, nowMs, address);
    if (this.trusted.isOf(bearer)) {
      return this.trusted.examine(bearer, audience, nowMs, (provider, subject) =>
        this.directory.principalBySubject(provider, subject),
      );
    }
    return this.access.examine(bearer, audience, nowMs, (id) => this.directory.principalById(id));
  }

  /** As that of the directory: only a personal token names its holder when it is not accepted. */
  holderOf(bearer: string): Identified | undefined {
    return this.directory.holderOf(bearer);
  }

  applyPrincipal(id: string, state: PrincipalState): void {
    this.directory.applyPrincipal(id, state);
  }

  applyToken(digest: string, state: TokenState): void {
    this.directory.applyToken(digest, state);
  }

  applyKey(id: string, state: SigningKeyState): void {
    this.access.applyKey(id, state);
  }

  /** Takes in what the company's authorization server is now. */
  applyIssuer(state: TrustedIssuerState): void {
    this.trusted.apply(state);
  }

  /** The company's authorization server, where clients get their tokens there. */
  trustedIssuer(): TrustedIssuerState | undefined {
    return this.trusted.current();
  }

  /** Takes in the end of a grant, and tells who listens. */
  applyGrant(id: string, state: GrantState): void {
    if (this.access.applyGrant(id, state)) for (const listener of this.listeners) listener({ tokenId: id });
  }

  /** As that of the directory, of grants too. @returns how to stop listening */
  onRevoked(listener: (what: Revoked) => void): () => void {
    const stop = this.directory.onRevoked(listener);
    this.listeners.add(listener);
    return () => {
      stop();
      this.listeners.delete(listener);
    };
  }

  /** @param nowMs - wall milliseconds */
  sweep(nowMs: number): void {
    this.directory.sweep(nowMs);
    this.access.sweep(nowMs);
  }
}
