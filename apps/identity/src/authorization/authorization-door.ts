import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { ADMIN_PATH, ADMIN_SCOPE, OAUTH_SCOPE } from '@warder/contracts';
import { Buckets } from '@warder/limits';
import { addressKey, answerJson, isLoopback, type RawHandler, repeatedHeader } from '@warder/service-host';
import type { AuthorizationConfig } from './authorization-config.js';
import { type ClientDocument, withApplicationType } from './client-documents.js';
import { ROUTES } from './routes.js';

/** Paths that the authorization server answers. */
export const PREFIXES = ['/oauth', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];
const REGISTRATION_BYTES_MAX = 32_768;
/** Requests of one address in a minute, and at once. */
const REQUESTS = { emissionMs: 60_000 / 1_200, burst: 300 };
const ADDRESSES_MAX = 50_000;

export interface AuthorizationDoorParts {
  readonly origin: URL;
  readonly registration: AuthorizationConfig['registration'];
  /** The authorization server itself. */
  readonly keySet: () => object;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  clientAddress(request: IncomingMessage): string;
  monotonicMs(): number;
  /** Whether one more client may register. */
  hasRoom(): Promise<boolean>;
  onError(error: unknown): void;
}

/**
 * What comes before the authorization server: who we are is said by the configuration and not by a header, requests
 * have a rate, and what clients in the field leave out is put in.
 */
export class AuthorizationDoor {
  private readonly requests = new Buckets(ADDRESSES_MAX);
  private readonly registrations = new Buckets(ADDRESSES_MAX);

  constructor(private readonly parts: AuthorizationDoorParts) {}

  /** Takes requests under `PREFIXES`. */
  readonly handle: RawHandler = (request, response) => {
    if (this.isAnswered(request, response)) return;
    const [path] = (request.url ?? '').split('?', 1);
    // The library knows the keys that there were when it was made.
    if (path === ROUTES.jwks && request.method === 'GET') return answerJson(response, 200, this.parts.keySet());
    if (path !== ROUTES.registration || request.method !== 'POST') {
      request.url = withScope(request.url ?? '');
      return this.parts.answer(request, response);
    }
    this.register(request, response).catch((error: unknown) => {
      // Who hung up is told nothing, and is no error.
      if (request.errored !== null) return;
      this.parts.onError(error);
      answerJson(response, 503, { error: 'temporarily_unavailable', error_description: 'try again later' });
    });
  };

  /**
   * Whether the request was answered here: it is for another host, or one too many of its address.
   * @param tooMuch - answers that, with the milliseconds until there may be one more
   */
  isAnswered(request: IncomingMessage, response: ServerResponse, tooMuch = answerTooMuch): boolean {
    if (this.isElsewhere(request, response)) return true;
    const key = addressKey(this.parts.clientAddress(request));
    const left = this.requests.take(key, REQUESTS, this.parts.monotonicMs());
    if (left < 0) tooMuch(request, response, -left);
    return left < 0;
  }

  /**
   * Makes the request one to our public origin, from which the library makes its addresses.
   * @returns whether it was answered: it went to a name that is not ours, or is ours for this machine only, or has two
   */
  private isElsewhere(request: IncomingMessage, response: ServerResponse): boolean {
    const { origin } = this.parts;
    const repeated = repeatedHeader(request);
    if (repeated !== undefined) {
      answerJson(response, 400, { error: 'invalid_request', error_description: `${repeated} stands there twice` });
      return true;
    }
    const host = request.headers.host?.toLowerCase() ?? '';
    if (host !== origin.host) {
      const named = URL.canParse(`http://${host}`) ? new URL(`${origin.protocol}//${host}`) : undefined;
      const isAlias = named !== undefined && isLocal(named) && isLocal(origin) && named.port === origin.port;
      // Cookies are of one name: a browser goes on under the one that all addresses are made of.
      if (isAlias && request.method === 'GET') {
        response.writeHead(307, { location: `${origin.origin}${request.url ?? '/'}`, 'content-length': 0 });
        response.end();
        return true;
      }
      if (!isAlias) {
        answerJson(response, 403, { error: 'invalid_request', error_description: 'this host is not served here' });
        return true;
      }
    }
    request.headers['x-forwarded-proto'] = origin.protocol.slice(0, -1);
    request.headers['x-forwarded-host'] = origin.host;
    request.headers['x-forwarded-for'] = this.parts.clientAddress(request);
    return false;
  }

  private async register(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { parts } = this;
    const { registration } = parts;
    const rate = { emissionMs: 60_000 / registration.perMinute, burst: registration.perMinute };
    const left = this.registrations.take(addressKey(parts.clientAddress(request)), rate, parts.monotonicMs());
    if (left < 0) return answerTooMuch(request, response, -left);
    if (!(await parts.hasRoom())) return answerTooMuch(request, response, 60_000);
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > REGISTRATION_BYTES_MAX) {
        return answerJson(response, 413, { error: 'invalid_client_metadata', error_description: 'too long' });
      }
      chunks.push(chunk);
    }
    parts.answer(withBody(request, Buffer.from(fixed(Buffer.concat(chunks).toString('utf8')))), response);
  }
}

function answerTooMuch(_: IncomingMessage, response: ServerResponse, afterMs: number): void {
  response.setHeader('retry-after', String(Math.max(1, Math.ceil(afterMs / 1_000))));
  answerJson(response, 429, { error: 'temporarily_unavailable', error_description: 'too many requests' });
}

/**
 * The scopes that the library needs and clients leave out: one where there is none, without which nothing could be
 * granted; and `openid` beside `max_age`, with which RFC 9470 section 4 has any client ask for a recent sign-in.
 */
function withScope(url: string): string {
  // A question mark may stand in a query as it is (RFC 3986 section 3.4).
  const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
  if (path !== ROUTES.authorization) return url;
  const params = new URLSearchParams(query);
  const asked = (params.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  // By the whole path: a virtual server may be named as the doors are.
  const isForAdmins = URL.parse(params.get('resource') ?? '')?.pathname === ADMIN_PATH;
  const scopes = asked.length > 0 ? [...asked] : [isForAdmins ? ADMIN_SCOPE : OAUTH_SCOPE];
  if (params.has('max_age') && !scopes.includes('openid')) scopes.push('openid');
  if (scopes.length === asked.length) return url;
  params.set('scope', scopes.join(' '));
  return `${path}?${params.toString()}`;
}

/** A registration as the library takes it; what is no JSON goes on as it is, to be refused there. */
function fixed(text: string): string {
  try {
    const body = JSON.parse(text) as ClientDocument;
    return typeof body === 'object' && body !== null ? JSON.stringify(withApplicationType(body)) : text;
  } catch {
    return text;
  }
}

/** The request with another body than the one that was read from it. */
function withBody(request: IncomingMessage, body: Buffer): IncomingMessage {
  const { method, url, headers, socket, httpVersion, httpVersionMajor, httpVersionMinor } = request;
  const head = { method, url, socket, httpVersion, httpVersionMajor, httpVersionMinor };
  const stream = Object.assign(Readable.from([body], { objectMode: false }), head, {
    headers: { ...headers, 'content-length': String(body.length) },
  });
  delete (stream.headers as Record<string, unknown>)['transfer-encoding'];
  return stream as unknown as IncomingMessage;
}

function isLocal({ hostname }: URL): boolean {
  return isLoopback(hostname) || hostname === '[::1]';
}
