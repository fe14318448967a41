import { encodeHeaderValue, type Era, MODERN_LATEST } from '@warder/mcp-wire';
import type { RequestCredential } from './request-credential.js';

/** How one credential talks to one upstream over HTTP. */
export interface HttpSession {
  readonly era: Era;
  readonly protocolVersion: string;
  /** Legacy: the upstream's own session, never shown to an agent. */
  readonly sessionId: string | undefined;
  /** The server said that it announces changes of its tools. */
  readonly announcesChanges: boolean;
  /** Flat name-value list, with what of the credential is the same in every request. */
  readonly headers: readonly string[];
  /** Of a credential that signs each request. */
  readonly sign: RequestCredential['sign'];
}

/** Headers of every POST to an upstream, whatever the era. */
export const BASE_HEADERS: readonly string[] = [
  'content-type',
  'application/json',
  'accept',
  'application/json, text/event-stream',
  'accept-encoding',
  'identity',
];

/** A modern upstream has no session; its headers say the revision. */
export function modernSession(credential: RequestCredential, announcesChanges: boolean): HttpSession {
  return {
    era: 'modern',
    protocolVersion: MODERN_LATEST,
    sessionId: undefined,
    announcesChanges,
    headers: [...BASE_HEADERS, 'mcp-protocol-version', MODERN_LATEST, ...credential.list],
    sign: credential.sign,
  };
}

/** A legacy session after its handshake. */
export function legacySession(
  credential: RequestCredential,
  protocolVersion: string,
  sessionId: string | undefined,
  announcesChanges: boolean,
): HttpSession {
  const session = sessionId === undefined ? [] : ['mcp-session-id', sessionId];
  const headers = [...BASE_HEADERS, 'mcp-protocol-version', protocolVersion, ...session, ...credential.list];
  return { era: 'legacy', protocolVersion, sessionId, announcesChanges, headers, sign: credential.sign };
}

export const NONE: readonly string[] = [];

/** What the headers of one request say besides its session's: a modern one names its method, and its tool. */
export function methodHeaders(
  session: HttpSession,
  method: string,
  name?: string,
  params: readonly string[] = NONE,
): readonly string[] {
  if (session.era === 'legacy') return NONE;
  if (name === undefined) return ['mcp-method', method];
  const list = ['mcp-method', method, 'mcp-name', encodeHeaderValue(name)];
  return params.length === 0 ? list : [...list, ...params];
}
