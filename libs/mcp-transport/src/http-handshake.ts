import {
  ErrorCode,
  isObject,
  LEGACY_LATEST,
  LEGACY_VERSIONS,
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_PROTOCOL_VERSION,
  MODERN_LATEST,
} from '@warder/mcp-wire';
import type { HttpAnswer } from './http-exchange.js';
import { BASE_HEADERS, type HttpSession, legacySession, modernSession } from './http-session.js';
import type { RequestCredential } from './request-credential.js';
import { CLIENT_INFO } from './request-text.js';
import { UpstreamFailure } from './upstream-failure.js';

/** Posts one message. `id` is the request's, undefined for a notification. */
export type Post = (headers: readonly string[], body: string, id: number | undefined) => Promise<HttpAnswer>;

/**
 * Finds out the upstream's era and opens a session where it has them.
 * Only a valid answer to `server/discover` proves the modern era; refusals of authentication and failures of the server
 * are evidence of nothing.
 * @see MCP 2026-07-28, basic/versioning, "Negotiation"
 * @throws UpstreamFailure
 */
export async function openSession(
  post: Post,
  credential: RequestCredential,
  knownLegacy: boolean,
): Promise<HttpSession> {
  if (!knownLegacy) {
    const modern = await probe(post, credential);
    if (modern !== undefined) return modern;
  }
  return initialize(post, credential);
}

async function probe(post: Post, credential: RequestCredential): Promise<HttpSession | undefined> {
  const meta = {
    [META_PROTOCOL_VERSION]: MODERN_LATEST,
    [META_CLIENT_CAPABILITIES]: {},
    [META_CLIENT_INFO]: CLIENT_INFO,
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'server/discover', params: { _meta: meta } });
  const own = ['mcp-protocol-version', MODERN_LATEST, 'mcp-method', 'server/discover'];
  let answer: HttpAnswer;
  try {
    answer = await post([...BASE_HEADERS, ...own, ...credential.list], body, 0);
  } catch (error) {
    // A legacy server may answer with something that is no JSON-RPC at all; it was reached, so the handshake may tell.
    if (error instanceof UpstreamFailure && error.reason === 'protocol' && error.status !== undefined) return undefined;
    throw error;
  }
  refuseStatus(answer.status);
  const result = answer.message?.['result'];
  if (answer.status === 200 && isObject(result) && Array.isArray(result['supportedVersions'])) {
    if (result['supportedVersions'].includes(MODERN_LATEST)) {
      return modernSession(credential, announces(result['capabilities']));
    }
    return undefined;
  }
  const error = answer.message?.['error'];
  if (isObject(error) && error['code'] === ErrorCode.versionUnsupported) {
    throw new UpstreamFailure('protocol', `the upstream does not speak ${MODERN_LATEST}`, false, answer.status);
  }
  return undefined;
}

async function initialize(post: Post, credential: RequestCredential): Promise<HttpSession> {
  const params = { protocolVersion: LEGACY_LATEST, capabilities: {}, clientInfo: CLIENT_INFO };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
  const answer = await post([...BASE_HEADERS, ...credential.list], body, 0);
  refuseStatus(answer.status);
  const result = answer.message?.['result'];
  const version = isObject(result) ? result['protocolVersion'] : undefined;
  if (!isObject(result) || typeof version !== 'string') {
    throw new UpstreamFailure('protocol', `initialize was answered with HTTP ${answer.status}`, false, answer.status);
  }
  if (!LEGACY_VERSIONS.has(version)) {
    // The version is of any text, and messages stand in logs: only what is a revision is repeated.
    const spoken = /^\d{4}-\d{2}-\d{2}$/.test(version) ? version : 'of a revision that is none';
    throw new UpstreamFailure('protocol', `the upstream speaks MCP ${spoken} only`, false);
  }
  const session = legacySession(credential, version, answer.sessionId, announces(result['capabilities']));
  const done = await post(session.headers, '{"jsonrpc":"2.0","method":"notifications/initialized"}', undefined);
  refuseStatus(done.status);
  return session;
}

function announces(capabilities: unknown): boolean {
  const tools = isObject(capabilities) ? capabilities['tools'] : undefined;
  return isObject(tools) && tools['listChanged'] === true;
}

/** Statuses that say nothing of the protocol. @throws UpstreamFailure */
export function refuseStatus(status: number): void {
  if (status === 401 || status === 403) {
    throw new UpstreamFailure('unauthorized', `the upstream answered HTTP ${status}`, false, status);
  }
  if (status >= 500 || status === 429) {
    throw new UpstreamFailure('unreachable', `the upstream answered HTTP ${status}`, status >= 500, status);
  }
  if (status >= 300 && status < 400) {
    throw new UpstreamFailure(
      'protocol',
      `the upstream redirects (HTTP ${status}), which is not followed`,
      false,
      status,
    );
  }
}
