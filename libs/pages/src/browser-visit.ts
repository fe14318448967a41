import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PrincipalState } from '@warder/contracts';
import type { PrincipalDirectory } from '@warder/tokens';
import { z } from 'zod';
import type { PassClaims } from './pass-keys.js';
import { sessionCookieName } from './session-cookie.js';

/** Milliseconds that a visit lasts, longer than consent at a provider may take: for so long the end of a browser's session is not known here. */
const VISIT_MS = 900_000;
/** After so many a page that is opened asks for a new pass, without the person. */
const FRESH_MS = 300_000;

const Visit = z.strictObject({
  sub: z.string(),
  sid: z.string(),
  auth: z.number(),
  /** Of the browser's session at identity. */
  session: z.string(),
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

  /**
   * @param pages - which a visit is of
   * @param key - 32 characters or more
   */
  constructor(
    pages: string,
    private readonly key: string,
    private readonly isSecure: boolean,
    private readonly directory: Pick<PrincipalDirectory, 'principalById'>,
    private readonly wallMs: () => number,
  ) {
    this.name = `${isSecure ? '__Host-' : ''}wdr_${pages}`;
  }

  begin(request: IncomingMessage, response: ServerResponse, { sub, sid, auth_time, iat }: PassClaims): void {
    // Begun when the pass was made: a sign-out since then is one of this visit too.
    const at = Math.min(this.wallMs(), Math.round(iat * 1_000));
    const visit = { sub, sid, auth: auth_time * 1_000, session: this.sessionOf(request), at };
    const text = Buffer.from(JSON.stringify(visit)).toString('base64url');
    this.set(response, `${text}.${this.seal(text)}`, VISIT_MS / 1_000);
  }

  /** @param mustBeFresh - whether a visit that identity could confirm anew is none */
  of(request: IncomingMessage, mustBeFresh: boolean): Visitor | undefined {
    const [text = '', seal = ''] = (cookieOf(request, this.name) ?? '').split('.', 2);
    const [given, wanted] = [Buffer.from(seal), Buffer.from(this.seal(text))];
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return undefined;
    const told = Visit.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    // Of another session at identity, or of none any more: the browser was signed out, or somebody else signed in.
    if (!told.success || told.data.session !== this.sessionOf(request)) return undefined;
    const { sub, sid, auth, at } = told.data;
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

  private sessionOf(request: IncomingMessage): string {
    return this.seal(`session ${cookieOf(request, sessionCookieName(this.isSecure)) ?? ''}`);
  }

  private seal(text: string): string {
    return createHmac('sha256', this.key).update(text).digest('base64url');
  }
}

function cookieOf(request: IncomingMessage, wanted: string): string | undefined {
  for (const each of (request.headers.cookie ?? '').split(';')) {
    const [name = '', value] = each.trim().split('=', 2);
    if (name === wanted && value !== undefined && value.length < 2_000) return value;
  }
  return undefined;
}
