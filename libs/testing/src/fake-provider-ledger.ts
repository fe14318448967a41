interface Consent {
  readonly scopes: readonly string[];
  access: string | undefined;
  readonly alive: Set<string>;
  refresh: string | undefined;
  /** Used refresh tokens, and when. */
  readonly used: Map<string, number>;
}

interface Code {
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  readonly scopes: readonly string[];
}

/** What a fake provider remembers: codes, and the tokens of each consent. Its clock is given. */
export class FakeProviderLedger {
  private readonly codes = new Map<string, Code>();
  private readonly consents: Consent[] = [];
  private count = 0;

  constructor(private readonly nowMs: () => number) {}

  /** A code, for one use. */
  code(code: Code): string {
    const name = `code-${++this.count}`;
    this.codes.set(name, code);
    return name;
  }

  takeCode(name: string): Code | undefined {
    const code = this.codes.get(name);
    this.codes.delete(name);
    return code;
  }

  consent(scopes: readonly string[], givesRefresh: boolean): Consent {
    const consent: Consent = { scopes, access: undefined, alive: new Set(), refresh: undefined, used: new Map() };
    this.consents.push(consent);
    this.giveAccess(consent);
    if (givesRefresh) consent.refresh = `refresh-${++this.count}`;
    return consent;
  }

  /**
   * The consent that a refresh token is of. A used one is taken again within the tolerance; later its use ends the whole
   * consent, as a stolen one's would.
   */
  byRefresh(token: string, toleranceMs: number): Consent | undefined {
    for (const consent of this.consents) {
      if (consent.refresh === token) return consent;
      const usedAtMs = consent.used.get(token);
      if (usedAtMs === undefined) continue;
      if (this.nowMs() - usedAtMs < toleranceMs) return consent;
      this.end(consent);
      return undefined;
    }
    return undefined;
  }

  refresh(consent: Consent, token: string, gives: string): void {
    if (gives === 'new-pair-and-kills-access') consent.alive.clear();
    this.giveAccess(consent);
    if (gives === 'access-only') return;
    consent.used.set(token, consent.used.get(token) ?? this.nowMs());
    consent.refresh = `refresh-${++this.count}`;
  }

  isAlive(accessToken: string): boolean {
    return this.consents.some(({ alive }) => alive.has(accessToken));
  }

  isRefreshable(refreshToken: string): boolean {
    return this.consents.some(({ refresh }) => refresh === refreshToken);
  }

  /** @returns whether the token was good */
  revoke(token: string, endsBoth: boolean): boolean {
    const consent = this.consents.find(({ alive, refresh }) => alive.has(token) || refresh === token);
    if (consent === undefined) return false;
    if (endsBoth) this.end(consent);
    else if (consent.refresh === token) consent.refresh = undefined;
    else consent.alive.delete(token);
    return true;
  }

  private giveAccess(consent: Consent): void {
    consent.access = `access-${++this.count}`;
    consent.alive.add(consent.access);
  }

  private end(consent: Consent): void {
    consent.alive.clear();
    consent.refresh = undefined;
  }
}
