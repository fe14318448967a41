import { sign } from 'node:crypto';
import type { SigningKeys } from '../authorization/signing-keys.js';
import type { SignedInBrowser } from './browser-session.js';

/** Milliseconds that a pass may be on its way. */
const LIVES_MS = 60_000;
/** Pages of other services that let a browser in with a pass, and where below their path. */
const PLACES: ReadonlyMap<string, RegExp> = new Map([
  ['connections', /^(?:connect\/[a-z0-9][a-z0-9-]{0,62})?$/],
  ['approvals', /^(?:apr_[\w-]{16})?$/],
]);
/** Made by the page that asks, of a secret of its browser's. */
const NONCE = /^[\w-]{43}$/;

/** What a browser that wants to go on to the pages of another service brings. */
export interface PassAsked {
  /** Which pages: the first segment of their path. */
  readonly at: string;
  readonly nonce: string;
  /** Below it; empty for the page itself. */
  readonly to: string;
  /** Whether an old sign-in will not do. */
  readonly isRecent: boolean;
}

/** @returns undefined for what no page of ours asks */
export function passAskedOf(query: URLSearchParams): PassAsked | undefined {
  // Pages of an older build do not say whose they are.
  const [at, nonce, to] = [query.get('at') ?? 'connections', query.get('nonce') ?? '', query.get('to') ?? ''];
  if (!NONCE.test(nonce) || PLACES.get(at)?.test(to) !== true) return undefined;
  return { at, nonce, to, isRecent: query.get('recent') === '1' };
}

/** Where a browser starts again once it is signed in; undefined for what is no place of such pages. */
export function guestPlaceOf(state: string): string | undefined {
  const [first = '', to = ''] = state.split(/\/(.*)/s, 2);
  return PLACES.get(first)?.test(to) === true ? `/${state}` : undefined;
}

/**
 * Tells another service who is signed in to a browser, for it has no session of its own: a token for its pages
 * alone, for that browser alone, and for a minute.
 */
export function signPass(
  keys: SigningKeys,
  origin: string,
  { sessionId, principal, signedInAtMs }: SignedInBrowser,
  { at, nonce }: PassAsked,
  nowMs: number,
): string {
  const signer = keys.signer();
  const header = { alg: 'ES256', kid: signer.id, typ: 'warder-pass+jwt' };
  const claims = {
    iss: origin,
    aud: `${origin}/${at}`,
    sub: principal.id,
    sid: sessionId,
    nonce,
    auth_time: Math.floor(signedInAtMs / 1_000),
    // To the millisecond: what it lets in ends with a sign-out before which it was made.
    iat: nowMs / 1_000,
    exp: Math.floor((nowMs + LIVES_MS) / 1_000),
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const key = { key: signer.privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
