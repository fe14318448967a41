import { createHmac } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PrincipalState } from '@warder/contracts';
import { storeAnswerOf } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { BrowserForms } from './browser-forms.js';
import type { BrowserVisits, Visitor } from './browser-visit.js';
import { noticePage } from './parts.js';
import type { PassKeys } from './pass-keys.js';
import { answerPage, formOf, type Html, html, PageError, type PageStatus, redirect } from './web.js';

/** A request that was refused, for the record. */
export interface PagesRefusal {
  readonly principal: PrincipalState | null;
  readonly address: string;
  readonly method: string;
  readonly code: string;
  readonly detail: string;
  readonly isForbidden: boolean;
}

/** Who acts, and what ties the act to their browser. */
export interface GuestActing {
  readonly by: { readonly principal: PrincipalState; readonly token: null; readonly address: string };
  /** Goes into every form. */
  readonly form: string;
  /** The browser's own secret. */
  readonly browser: string;
  /** Whether the person signed in a short time ago. */
  readonly isRecent: boolean;
}

/** What is asked below the pages' own path, by somebody who is signed in. */
export interface GuestRequest {
  readonly place: string;
  readonly acting: GuestActing;
  readonly response: ServerResponse;
  /** Has the browser sign in anew, and come back to the place. */
  readonly signInAnew: (place: string) => void;
}

/** What some pages are, and what is shown and done there. */
export interface PagesShown {
  /** First segment of their path. */
  readonly name: string;
  readonly title: string;
  /** How the way back to them is called. */
  readonly homeLabel: string;
  /** Places to which a browser may come back from signing in. */
  readonly places: RegExp;
  /** Whether a place is shown only to whoever is here already. */
  readonly isForVisitors: (place: string) => boolean;
  /** Answers what anybody may read, whoever they are. @returns whether that is such a place */
  readonly answerAnybody?: (place: string, response: ServerResponse) => Promise<boolean>;
  readonly show: (asked: GuestRequest, query: URLSearchParams) => Promise<void>;
  readonly change: (asked: GuestRequest, form: URLSearchParams) => Promise<void>;
}

export interface GuestPagesParts extends PagesShown {
  readonly visits: BrowserVisits;
  readonly passes: PassKeys;
  readonly forms: BrowserForms;
  readonly origin: URL;
  /** Milliseconds after which a sign-in is too old for what matters. */
  readonly recentMs: number;
  readonly address: (request: IncomingMessage) => string;
  readonly wallMs: () => number;
  /** Whether principals and keys were read. */
  readonly isReady: () => boolean;
  /** Takes one request of an address. @throws PageError 429 */
  readonly takeRequest: (address: string) => void;
  /** Takes one change of the principal. @throws PageError 429 */
  readonly takeChange: (principalId: string) => void;
  readonly onRefusal: (refused: PagesRefusal) => void;
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

/** Pages of a service that has no session of its own: identity says who is in front of the browser, by a pass. */
export class GuestPages {
  constructor(private readonly parts: GuestPagesParts) {}

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
    if (!isPost && (await parts.answerAnybody?.(place, response)) === true) return;
    if (!parts.isReady()) throw new AdminError(503, 'WDR_STORE_UNAVAILABLE', 'who you are is not known yet');
    if (place === 'signed-in' && !isPost) return this.letIn(request, response, query);
    const isForVisitors = isPost || parts.isForVisitors(place);
    const visitor = parts.visits.of(request, !isForVisitors);
    if (visitor === undefined) {
      if (isForVisitors)
        throw new PageError(401, `You are not signed in here any more. Open your ${parts.name} and begin again.`);
      return this.toPass(request, response, place, false);
    }
    seen.visitor = visitor;
    const acting = this.actingOf(request, response, visitor);
    const signInAnew = (to: string): void => this.toPass(request, response, to, true);
    const asked: GuestRequest = { place, acting, response, signInAnew };
    if (!isPost) return parts.show(asked, query);
    const form = await formOf(request);
    parts.forms.ensure(request, form, this.subjectOf(visitor));
    parts.takeChange(visitor.principal.id);
    return parts.change(asked, form);
  }

  private actingOf(request: IncomingMessage, response: ServerResponse, visitor: Visitor): GuestActing {
    const { forms, wallMs, recentMs, address } = this.parts;
    return {
      by: { principal: visitor.principal, token: null, address: address(request) },
      form: forms.token(request, response, this.subjectOf(visitor)),
      browser: forms.browser(request) ?? '',
      isRecent: wallMs() - visitor.signedInAtMs <= recentMs,
    };
  }

  /** To identity, which knows who is signed in; the nonce is of this browser, so that a pass of another's lets nobody in. */
  private toPass(request: IncomingMessage, response: ServerResponse, place: string, isRecent: boolean): void {
    const { name: at, places, forms } = this.parts;
    const to = places.test(place) ? place : '';
    const nonce = forms.token(request, response, 'pass');
    const query = new URLSearchParams({ at, nonce, to, ...(isRecent ? { recent: '1' } : {}) });
    redirect(response, `/account/pass?${query.toString()}`);
  }

  private letIn(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
    const { forms, passes, visits, origin, wallMs, name, places } = this.parts;
    const to = query.get('to') ?? '';
    const nonce = forms.token(request, response, 'pass');
    const pass = passes.read(query.get('pass') ?? '', origin.origin, nonce, wallMs());
    if (pass === undefined) throw new PageError(401, `You are not signed in. Open your ${name} again.`);
    visits.begin(request, response, pass);
    redirect(response, places.test(to) ? `/${name}/${to}` : `/${name}`);
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
    const { parts } = this;
    const { status, code, sentence, detail } = toldOf(error, parts.name);
    if (code === 'WDR_INTERNAL') parts.onBug(storeAnswerOf(error));
    parts.onRefusal({
      principal: visitor?.principal ?? null,
      address: parts.address(request),
      method: request.method ?? '',
      code,
      detail,
      isForbidden: status === 401 || status === 403,
    });
    if (!response.headersSent) answerPage(response, status, parts.title, this.againPage(sentence));
  }

  private againPage(sentence: string): Html {
    const { name, homeLabel } = this.parts;
    return html`${noticePage('That did not work', sentence)}
      <p><a href="/${name}">${homeLabel}</a></p>`;
  }

  /** A visit's forms are good in its browser, for its person. */
  private subjectOf({ sessionId, principal }: Visitor): string {
    return `${this.parts.name}/${createHmac('sha256', sessionId).update(principal.id).digest('base64url')}`;
  }
}

/** What the person is told, and what the record. */
function toldOf(thrown: unknown, name: string): { status: number; code: string; sentence: string; detail: string } {
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
  const detail = `a page of the ${name} failed`;
  return { status: 500, code: 'WDR_INTERNAL', sentence: 'Something went wrong here. Try again.', detail };
}
