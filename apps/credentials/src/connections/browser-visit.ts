import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PrincipalState } from '@warder/contracts';
import type { PrincipalDirectory } from '@warder/tokens';
import { z } from 'zod';
import type { PassClaims } from './pass-keys.js';

/** Milliseconds that a visit lasts, longer than consent at a provider may take: for so long the end of a browser's session is not known here. */
const VISIT_MS = 900_000;
/** After so many a page that is opened asks for a new pass, without the person. */
const FRESH_MS = 300_000;

const Visit = z.strictObject({
  sub: z.string(),
  sid: z.string(),
  auth: z.number(),
  at: z.number(),
});

/** The person in front of a browser that identity let in. */
export interface Visitor {
  readonly principal: PrincipalState;
  readonly sessionId: string;
  readonly signedInAtMs: number;
}

/** What a browser shows between two passes: signed, and good for minutes. Whoever is gone by the bus is gone at once. */
export class BrowserVisits {
  private readonly name: string;

  /** @param key - 32 characters or more */
  constructor(
    private readonly key: string,
    private readonly isSecure: boolean,
    private readonly directory: Pick<PrincipalDirectory, 'principalById'>,
    private readonly wallMs: () => number,
  ) {
    this.name = isSecure ? '__Host-wdr_connections' : 'wdr_connections';
  }

  begin(response: ServerResponse, { sub, sid, auth_time }: PassClaims): void {
    const visit = { sub, sid, auth: auth_time * 1_000, at: this.wallMs() };
    const text = Buffer.from(JSON.stringify(visit)).toString('base64url');
    this.set(response, `${text}.${this.seal(text)}`, VISIT_MS / 1_000);
  }

  /** @param mustBeFresh - whether a visit that identity could confirm anew is none */
  of(request: IncomingMessage, mustBeFresh: boolean): Visitor | undefined {
    const [text = '', seal = ''] = (this.cookie(request) ?? '').split('.', 2);
    const [given, wanted] = [Buffer.from(seal), Buffer.from(this.seal(text))];
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
    const { sub, sid, auth, at } = Visit.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    if (at + (mustBeFresh ? FRESH_MS : VISIT_MS) <= this.wallMs()) return undefined;
    const principal = this.directory.principalById(sub);
    if (principal?.status !== 'active' || (principal.signedOutAtMs ?? 0) >= at) return undefined;
    return { principal, sessionId: sid, signedInAtMs: auth };
  }

  private set(response: ServerResponse, value: string, seconds: number): void {
    const secure = this.isSecure ? '; Secure' : '';
    response.appendHeader(
      'set-cookie',
      `${this.name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`,
    );
  }

  private cookie(request: IncomingMessage): string | undefined {
    for (const each of (request.headers.cookie ?? '').split(';')) {
      const [name = '', value] = each.trim().split('=', 2);
      if (name === this.name && value !== undefined && value.length < 2_000) return value;
    }
    return undefined;
  }

  private seal(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }
}
