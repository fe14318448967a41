import type { IncomingMessage } from 'node:http';
import { repeatedHeader } from '@warder/service-host';
import { Refusal } from '../pipeline/refusal.js';

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/** Where clients may say that they are, derived from the one public origin of the configuration. */
export class PublicOrigin {
  private url: string | undefined;
  private hosts: ReadonlySet<string> = new Set();
  private origins: ReadonlySet<string> = new Set();

  /** @param publicUrl - the host's; known once the listener is bound */
  constructor(private readonly publicUrl: () => URL) {}

  /**
   * Refuses a request that names another host or comes from a page of another origin: a browser that was lured to an
   * attacker's name for our address (DNS rebinding) says so in these headers.
   * @throws Refusal WDR_HEADER_REPEATED, WDR_HOST_UNKNOWN, WDR_ORIGIN_FORBIDDEN
   */
  check(request: IncomingMessage): void {
    if (this.url === undefined) this.learn();
    const repeated = repeatedHeader(request);
    if (repeated !== undefined) {
      throw new Refusal('WDR_HEADER_REPEATED', `${repeated} may be sent once`, `${repeated} stands there twice`);
    }
    const { host, origin } = request.headers;
    if (host === undefined || !this.hosts.has(host.toLowerCase())) {
      throw new Refusal('WDR_HOST_UNKNOWN', 'This host is not served here', `Host: ${host ?? 'absent'}`);
    }
    if (origin !== undefined && !this.origins.has(origin.toLowerCase())) {
      throw new Refusal('WDR_ORIGIN_FORBIDDEN', 'Requests from this origin are not accepted', `Origin: ${origin}`);
    }
  }

  private learn(): void {
    const url = this.publicUrl();
    // Every loopback name is the same machine; whoever serves one serves them all.
    const names = LOOPBACK_NAMES.includes(url.hostname) ? LOOPBACK_NAMES : [url.hostname];
    const port = url.port === '' ? '' : `:${url.port}`;
    const defaultPort = url.protocol === 'https:' ? ':443' : ':80';
    const hosts = names.flatMap((name) => (port === '' ? [name, name + defaultPort] : [name + port]));
    this.hosts = new Set(hosts);
    this.origins = new Set(names.map((name) => `${url.protocol}//${name}${port}`));
    this.url = url.href;
  }
}

/** The name of the virtual server in `/mcp/<name>`; undefined for any other path. */
export function virtualServerOf(url: string): string | undefined {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  if (!path.startsWith('/mcp/')) return undefined;
  const name = path.endsWith('/') ? path.slice(5, -1) : path.slice(5);
  return name === '' || name.includes('/') ? undefined : name;
}

/**
 * The bearer token of a request.
 * @throws Refusal WDR_TOKEN_MISSING
 */
export function bearerOf(request: IncomingMessage): string {
  const { authorization } = request.headers;
  const isBearer = authorization !== undefined && authorization.slice(0, 7).toLowerCase() === 'bearer ';
  const token = isBearer ? authorization.slice(7).trim() : '';
  if (token === '') throw new Refusal('WDR_TOKEN_MISSING', 'An access token is required', 'no bearer token');
  return token;
}

/** In which forms a client takes its answer. */
export interface Accepted {
  readonly json: boolean;
  readonly eventStream: boolean;
}

/**
 * Refuses a body that is not plain JSON, and a client that takes no form of answer that we give.
 * @throws Refusal WDR_CONTENT_TYPE_UNSUPPORTED, WDR_ACCEPT_UNSUPPORTED
 */
export function acceptedOf(request: IncomingMessage): Accepted {
  const { accept, 'content-type': type, 'content-encoding': encoding } = request.headers;
  if (!isJson(type) || (encoding !== undefined && encoding !== 'identity')) {
    const detail = `Content-Type: ${type ?? 'absent'}, Content-Encoding: ${encoding ?? 'absent'}`;
    throw new Refusal('WDR_CONTENT_TYPE_UNSUPPORTED', 'The body must be application/json, not encoded', detail);
  }
  if (accept === undefined || accept.includes('*/*')) return { json: true, eventStream: accept !== undefined };
  const accepted = { json: accept.includes('application/json'), eventStream: accept.includes('text/event-stream') };
  if (accepted.json || accepted.eventStream) return accepted;
  throw new Refusal('WDR_ACCEPT_UNSUPPORTED', 'Accept application/json and text/event-stream', `Accept: ${accept}`);
}

/**
 * As `acceptedOf`, of a GET, which has no body.
 * @throws Refusal WDR_ACCEPT_UNSUPPORTED
 */
export function streamAcceptedOf(request: IncomingMessage): Accepted {
  const { accept } = request.headers;
  if (accept?.includes('text/event-stream') || accept?.includes('*/*')) return { json: true, eventStream: true };
  throw new Refusal('WDR_ACCEPT_UNSUPPORTED', 'Accept text/event-stream', `Accept: ${accept ?? 'absent'}`);
}

function isJson(type: string | undefined): boolean {
  if (type === undefined || type === 'application/json') return type !== undefined;
  const [essence = '', parameter] = type.toLowerCase().split(';', 2);
  if (essence.trim() !== 'application/json') return false;
  return parameter === undefined || !parameter.includes('charset') || /charset="?utf-?8"?/.test(parameter);
}

/** The length that a client announced, bytes; undefined for a body that comes in chunks. */
export function announcedLength(request: IncomingMessage): number | undefined {
  const length = request.headers['content-length'];
  return length === undefined ? undefined : Number(length);
}
