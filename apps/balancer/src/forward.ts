import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';
import { answerJson, lingerBeforeClose } from '@warder/service-host';
import type { BackendNode } from './node-ring.js';

export interface Forwarding {
  readonly agent: Agent;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** The client, as the door's configuration tells. */
  clientAddress(request: IncomingMessage): string;
}

// RFC 9110 section 7.6.1: these belong to one connection.
const HOP_HEADERS = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
// A `Connection` header takes none of these away: without its length a body has no frame, and the node would read it as
// the next request on the connection.
const KEPT_HEADERS = new Set(['content-length', 'host']);
// What a client says of its own address is a lie until we wrote it.
const FORWARDING_HEADERS = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
]);
/** The connection was never made, so that nothing of the request has left: another node may have it. */
const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT']);

/**
 * Sends a request to the first of `nodes` that takes the connection and streams both ways. A request of which a byte
 * may have left is never sent twice: a tool call is an act.
 */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  nodes: readonly BackendNode[],
  forwarding: Forwarding,
): void {
  const [node, ...others] = nodes;
  if (node === undefined) {
    answerJson(response, 503, { error: { code: 'WDR_NODE_UNREACHABLE', message: 'no node takes the request' } });
    return;
  }
  if (response.destroyed) return;
  const outgoing = httpRequest({
    agent: forwarding.agent,
    hostname: node.url.hostname.replace(/^\[|\]$/g, ''),
    port: node.url.port === '' ? 80 : Number(node.url.port),
    method: request.method,
    path: request.url,
    headers: requestHeaders(request, forwarding.clientAddress(request)),
    setHost: false,
  });
  const onClientGone = () => {
    if (!response.writableFinished) outgoing.destroy();
  };
  response.once('close', onClientGone);
  let isSent = false;
  whenConnected(outgoing, forwarding, () => {
    isSent = true;
    request.pipe(outgoing);
  });
  outgoing.once('response', (answer) => relay(answer, request, response));
  outgoing.once('error', (error: NodeJS.ErrnoException) => {
    if (!isSent && NEVER_CONNECTED.has(error.code ?? '')) {
      node.isReady = false;
      response.off('close', onClientGone);
      forward(request, response, others, forwarding);
      return;
    }
    if (response.headersSent || response.destroyed) response.destroy();
    else
      answerJson(response, 502, {
        error: { code: 'WDR_NODE_LOST', message: 'the node was lost; the outcome is unknown' },
      });
  });
}

function whenConnected(outgoing: ClientRequest, forwarding: Forwarding, send: () => void): void {
  const timer = setTimeout(() => {
    outgoing.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }));
  }, forwarding.connectTimeoutMs);
  outgoing.once('close', () => clearTimeout(timer));
  outgoing.once('socket', (socket) => {
    const connected = () => {
      clearTimeout(timer);
      outgoing.setTimeout(forwarding.idleTimeoutMs, () => outgoing.destroy());
      send();
    };
    if (socket.connecting) socket.once('connect', connected);
    else connected();
  });
}

function relay(answer: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
  const headers = withoutHops(answer.rawHeaders, answer.headers.connection);
  // A node that reads no more of a body hangs up on its sender: nobody would ever take the rest from here.
  if (!request.complete && answer.headers.connection === 'close') {
    headers.push('connection', 'close');
    lingerBeforeClose(request);
    // What is still to come has nowhere to go, and is thrown away until the connection ends.
    request.unpipe();
    request.resume();
  }
  response.writeHead(answer.statusCode ?? 502, headers);
  // Headers leave at once: an event stream may say nothing for a while, and its client waits for them.
  response.flushHeaders();
  answer.pipe(response);
  // A cut answer must look cut to the client as well, never like a short one.
  answer.once('error', () => response.destroy());
  answer.once('close', () => {
    if (!answer.complete) response.destroy();
  });
}

function requestHeaders(request: IncomingMessage, clientAddress: string): string[] {
  const kept = withoutHops(request.rawHeaders, request.headers.connection, FORWARDING_HEADERS);
  if (request.headers['transfer-encoding'] !== undefined) kept.push('transfer-encoding', 'chunked');
  return [...kept, 'x-forwarded-for', clientAddress];
}

function withoutHops(raw: readonly string[], connection: string | undefined, more?: ReadonlySet<string>): string[] {
  const named = new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? '';
    const lower = name.toLowerCase();
    if (HOP_HEADERS.has(lower) || more?.has(lower) || (named.has(lower) && !KEPT_HEADERS.has(lower))) continue;
    kept.push(name, raw[at + 1] ?? '');
  }
  return kept;
}
