import { createHmac, type JsonWebKey } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PrincipalState } from '@warder/contracts';
import {
  answerPage,
  type BrowserForms,
  formOf,
  type Html,
  html,
  noticePage,
  PageError,
  type PageStatus,
  redirect,
} from '@warder/pages';
import { storeAnswerOf } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { BrowserVisits, Visitor } from './browser-visit.js';
import type { Acting, ConnectionActs } from './connection-acts.js';
import type { PassKeys } from './pass-keys.js';

/** A request that was refused, for the record. */
export interface ConnectionsRefusal {
  readonly principal: PrincipalState | null;
  readonly address: string;
  readonly method: string;
  readonly code: string;
  readonly detail: string;
  readonly isForbidden: boolean;
}

export interface ConnectionsDoorParts {
  readonly acts: ConnectionActs;
  readonly visits: BrowserVisits;
  readonly passes: PassKeys;
  readonly forms: BrowserForms;
  readonly origin: URL;
  /** Milliseconds after which a sign-in is too old for what is everybody's. */
  readonly recentMs: number;
  readonly address: (request: IncomingMessage) => string;
  readonly wallMs: () => number;
  /** Our client's keys, for providers to check what it signs. */
  readonly publicKeys: () => Promise<readonly JsonWebKey[]>;
  /** Whether principals and keys were read. */
  readonly isReady: () => boolean;
  /** Takes one request of an address. @throws PageError 429 */
  readonly takeRequest: (address: string) => void;
  /** Takes one change of the principal. @throws PageError 429 */
  readonly takeChange: (principalId: string) => void;
  readonly onRefusal: (refused: ConnectionsRefusal) => void;
  readonly onBug: (error: unknown) => void;
}

const CODES: Readonly<Record<PageStatus, string>> = {
  400: 'WDR_BODY_INVALID',
  401: 'WDR_SIGN_IN_FAILED',
  403: 'WDR_FORM_FOREIGN',
  404: 'WDR_PATH_UNKNOWN',
  405: 'WDR_METHOD_NOT_ALLOWED',
  413: 'WDR_BODY_TOO_LARGE',
  415: 'WDR_BODY_INVALID',
  429: 'WDR_ACCOUNT_RATE_LIMITED',
  502: 'WDR_PROVIDER_UNUSABLE',
  503: 'WDR_STORE_UNAVAILABLE',
};
/** Seconds that a server may keep our keys: less than a key is told of before it signs. */
const KEYS_SECONDS = 60;
const CONNECT = /^connect\/([a-z0-9][a-z0-9-]{0,62})$/;
const DISCONNECT = /^(con_[\w-]{16})\/disconnect$/;

/** Pages under `/connections`, and the one callback of every provider. */
export class ConnectionsDoor {
  constructor(private readonly parts: ConnectionsDoorParts) {}

  /** Answers one request. Never throws. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen: { visitor?: Visitor } = {};
    try {
      await this.route(request, response, seen);
    } catch (error) {
      this.refuse(request, response, error, seen.visitor);
    }
  }

  private async route(request: IncomingMessage, response: ServerResponse, seen: { visitor?: Visitor }): Promise<void> {
    const [path = '', search = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
    const place = path.split('/').slice(2).join('/');
    const query = new URLSearchParams(search);
    const isPost = request.method === 'POST';
    if (request.method !== 'GET' && !isPost) throw new PageError(405, 'This page is for a browser.');
    const { parts } = this;
    parts.takeRequest(parts.address(request));
    if (request.headers.host?.toLowerCase() !== parts.origin.host) return this.elsewhere(request, response, isPost);
    if (place === 'jwks.json' && !isPost) return this.tellKeys(response);
    if (!parts.isReady()) throw new AdminError(503, 'WDR_STORE_UNAVAILABLE', 'who you are is not known yet');
    if (place === 'signed-in' && !isPost) return this.letIn(request, response, query);
    const visitor = parts.visits.of(request, !isPost && place !== 'callback');
    if (visitor === undefined) {
      if (isPost || place === 'callback')
        throw new PageError(401, 'You are not signed in here any more. Open your connections and begin again.');
      return this.toPass(request, response, place, false);
    }
    seen.visitor = visitor;
    const acting = this.actingOf(request, response, visitor);
    if (!isPost) return this.show(response, place, query, acting);
    const form = await formOf(request);
    parts.forms.ensure(request, form, subjectOf(visitor));
    parts.takeChange(visitor.principal.id);
    return this.change(request, response, place, form, acting);
  }

  /** RFC 7517 section 5, for anybody: servers read it as often as they like, and need not be told apart. */
  private async tellKeys(response: ServerResponse): Promise<void> {
    const body = JSON.stringify({ keys: await this.parts.publicKeys() });
    const headers = { 'content-type': 'application/jwk-set+json', 'cache-control': `public, max-age=${KEYS_SECONDS}` };
    response.writeHead(200, { ...headers, 'x-content-type-options': 'nosniff' }).end(body);
  }

  private async show(response: ServerResponse, place: string, query: URLSearchParams, acting: Acting): Promise<void> {
    const { acts } = this.parts;
    if (place === 'callback') {
      const { accountName } = await acts.finish(acting, query);
      const notice = accountName === null ? 'Connected.' : `Connected as ${accountName}.`;
      return answerPage(response, 200, 'Connections', await acts.overview(acting, notice));
    }
    const [, upstream] = CONNECT.exec(place) ?? [];
    if (upstream !== undefined) return answerPage(response, 200, 'Connect', await acts.link(acting, upstream));
    if (place !== '') throw new PageError(404, 'There is no such page.');
    answerPage(response, 200, 'Connections', await acts.overview(acting, null));
  }

  private async change(
    request: IncomingMessage,
    response: ServerResponse,
    place: string,
    form: URLSearchParams,
    acting: Acting,
  ): Promise<void> {
    const { acts } = this.parts;
    if (place === 'connect') {
      // What is everybody's is not changed by whoever comes by an open browser.
      if (form.get('kind') !== 'oauth_user' && !acting.isRecent) return this.toPass(request, response, '', true);
      return redirect(response, (await acts.connect(acting, form)).href);
    }
    if (place === 'keep') {
      await acts.keep(acting, form);
      return redirect(response, '/connections');
    }
    const [, id] = DISCONNECT.exec(place) ?? [];
    if (id === undefined) throw new PageError(404, 'There is no such page.');
    if (!acting.isRecent && (await acts.isShared(id))) return this.toPass(request, response, '', true);
    await acts.disconnect(acting, id);
    redirect(response, '/connections');
  }

  private actingOf(request: IncomingMessage, response: ServerResponse, visitor: Visitor): Acting {
    const { forms, wallMs, recentMs, address } = this.parts;
    return {
      by: { principal: visitor.principal, token: null, address: address(request) },
      form: forms.token(request, response, subjectOf(visitor)),
      browser: forms.browser(request) ?? '',
      isRecent: wallMs() - visitor.signedInAtMs <= recentMs,
    };
  }

  /** To identity, which knows who is signed in; the nonce is of this browser, so that a pass of another's lets nobody in. */
  private toPass(request: IncomingMessage, response: ServerResponse, place: string, isRecent: boolean): void {
    const to = CONNECT.test(place) ? place : '';
    const nonce = this.parts.forms.token(request, response, 'pass');
    const query = new URLSearchParams({ nonce, to, ...(isRecent ? { recent: '1' } : {}) });
    redirect(response, `/account/pass?${query.toString()}`);
  }

  private letIn(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    const { forms, passes, visits, origin, wallMs } = this.parts;
    const to = query.get('to') ?? '';
    const nonce = forms.token(request, response, 'pass');
    const pass = passes.read(query.get('pass') ?? '', origin.origin, nonce, wallMs());
    if (pass === undefined) throw new PageError(401, 'You are not signed in. Open your connections again.');
    visits.begin(request, response, pass);
    redirect(response, CONNECT.test(to) ? `/connections/${to}` : '/connections');
  }

  /** Cookies are of one name: a browser goes on under the one that all addresses are made of. */
  private elsewhere(request: IncomingMessage, response: ServerResponse, isPost: boolean): void {
    if (isPost) throw new PageError(403, 'This host is not served here.');
    redirect(response, new URL(request.url ?? '/', this.parts.origin).href);
  }

  private refuse(
    request: IncomingMessage,
    response: ServerResponse,
    error: unknown,
    visitor: Visitor | undefined,
  ): void {
    const { status, code, sentence, detail } = toldOf(error);
    const { parts } = this;
    if (code === 'WDR_INTERNAL') parts.onBug(storeAnswerOf(error));
    parts.onRefusal({
      principal: visitor?.principal ?? null,
      address: parts.address(request),
      method: request.method ?? '',
      code,
      detail,
      isForbidden: status === 401 || status === 403,
    });
    if (!response.headersSent) answerPage(response, status, 'Connections', againPage(sentence));
  }
}

/** A visit's forms are good in its browser, for its person. */
function subjectOf({ sessionId, principal }: Visitor): string {
  return `connections/${createHmac('sha256', sessionId).update(principal.id).digest('base64url')}`;
}

/** What the person is told, and what the record. */
function toldOf(thrown: unknown): { status: number; code: string; sentence: string; detail: string } {
  const error = storeAnswerOf(thrown);
  if (error instanceof PageError) {
    const { status, message } = error;
    return { status, code: CODES[status], sentence: message, detail: message };
  }
  if (error instanceof AdminError) {
    const { status, code, message, detail } = error;
    if (code === 'WDR_STORE_UNAVAILABLE' || code === 'WDR_SECRET_STORE_UNAVAILABLE')
      return { status, code, sentence: 'Warder cannot do that at the moment. Try again in a minute.', detail };
    return {
      status,
      code,
      sentence: `${message.charAt(0).toUpperCase()}${message.slice(1).replace(/\.$/, '')}.`,
      detail,
    };
  }
  const detail = 'a page of the connections failed';
  return { status: 500, code: 'WDR_INTERNAL', sentence: 'Something went wrong here. Try again.', detail };
}

function againPage(sentence: string): Html {
  return html`${noticePage('That did not work', sentence)}
    <p><a href="/connections">Your connections</a></p>`;
}
