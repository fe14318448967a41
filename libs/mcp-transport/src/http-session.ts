import { encodeHeaderValue, type Era, MODERN_LATEST } from '@warder/mcp-wire';
import type { CredentialHeaders } from './upstream.js';

/** How one credential talks to one upstream over HTTP. */
export interface HttpSession {
  readonly era: Era;
  readonly protocolVersion: string;
  /** Legacy: the upstream's own session, never shown to an agent. */
  readonly sessionId: string | undefined;
  /** The server said that it announces changes of its tools. */
  readonly announcesChanges: boolean;
  /** Flat name-value list, credential included. */
  readonly headers: readonly string[];
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

// What routes, frames or describes a request is ours to say; a credential that tries to say it is a mistake.
const RESERVED =
  /^(?:mcp-.*|host|content-.*|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|accept|accept-encoding)$/;

/** A credential's headers as a flat list; names that would change the request itself are left out. */
export function credentialList(headers: CredentialHeaders | undefined): readonly string[] {
  if (headers === undefined) return [];
  return Object.entries(headers).flatMap(([name, value]) => (RESERVED.test(name.toLowerCase()) ? [] : [name, value]));
}

/** A modern upstream has no session; its headers say the revision. */
export function modernSession(credential: readonly string[], announcesChanges: boolean): HttpSession {
  return {
    era: 'modern',
    protocolVersion: MODERN_LATEST,
    sessionId: undefined,
    announcesChanges,
    headers: [...BASE_HEADERS, 'mcp-protocol-version', MODERN_LATEST, ...credential],
  };
}

/** A legacy session after its handshake. */
export function legacySession(
  credential: readonly string[],
  protocolVersion: string,
  sessionId: string | undefined,
  announcesChanges: boolean,
): HttpSession {
  const session = sessionId === undefined ? [] : ['mcp-session-id', sessionId];
  const headers = [...BASE_HEADERS, 'mcp-protocol-version', protocolVersion, ...session, ...credential];
  return { era: 'legacy', protocolVersion, sessionId, announcesChanges, headers };
}

const NONE: readonly string[] = [];

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
