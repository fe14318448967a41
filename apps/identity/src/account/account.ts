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
  PageRefusal,
  type PageStatus,
  redirect,
} from '@warder/pages';
import { storeAnswerOf } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { accountSignInUrl } from '../authorization/first-party.js';
import { principalStateOf } from '../principal.entity.js';
import type { AccountActs, Acting } from './account-acts.js';
import { guestPlaceOf, type PassAsked, passAskedOf } from './browser-pass.js';
import type { BrowserSessions, SignedInBrowser } from './browser-session.js';

/** A request that was refused, for the record. */
export interface AccountRefusal {
  readonly principal: PrincipalState | null;
  readonly address: string;
  readonly method: string;
  /** Of the pages, without what was named in it. */
  readonly route: string;
  readonly code: string;
  readonly detail: string;
  readonly isForbidden: boolean;
}

export interface AccountParts {
  readonly browsers: BrowserSessions;
  readonly forms: BrowserForms;
  readonly acts: AccountActs;
  /** Milliseconds after which a sign-in is too old for what matters. */
  readonly recentMs: number;
  /** What lets the browser in to the connections pages. */
  readonly passOf: (browser: SignedInBrowser, asked: PassAsked) => string;
  address(request: IncomingMessage): string;
  wallMs(): number;
  /** Takes one change of the principal. @throws PageRefusal 429 WDR_ACCOUNT_RATE_LIMITED */
  takeChange(principalId: string): void;
  onRefusal(refused: AccountRefusal): void;
  onBug(error: unknown): void;
}

/** Codes of refusals that have none of their own, by the status of the answer: of each status that a page refuses with. */
const CODES: Readonly<Record<PageStatus, string>> = {
  400: 'WDR_BODY_INVALID',
  401: 'WDR_SIGN_IN_FAILED',
  403: 'WDR_FORM_FOREIGN',
  404: 'WDR_PATH_UNKNOWN',
  405: 'WDR_METHOD_NOT_ALLOWED',
  413: 'WDR_BODY_TOO_LARGE',
  415: 'WDR_CONTENT_TYPE_UNSUPPORTED',
  429: 'WDR_ACCOUNT_RATE_LIMITED',
  502: 'WDR_SIGN_IN_FAILED',
  503: 'WDR_STORE_UNAVAILABLE',
};
/** Where a browser may go on to once it is signed in; anything else is the first page. */
const TARGET = /^(?:tokens\/new|tokens\/pat_\w{1,64}\/rotate|password)$/;
/** Seconds by which our own clock may call a sign-in old before the authorization server does. */
const AGREE_S = 2;

/** What is known of a request before it is answered. */
interface Seen {
  readonly address: string;
  browser?: SignedInBrowser;
}

/** Pages under `/account`: what a signed-in person sees of their own, makes and ends. */
export class Account {
  constructor(private readonly parts: AccountParts) {}

  /** Answers one request under `/account`. Never throws. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Asked for now: a form that is not read to its end leaves a request without its connection.
    const seen: Seen = { address: this.parts.address(request) };
    try {
      await this.route(request, response, seen);
    } catch (error) {
      // Who hung up is told nothing, and is no error.
      if (error !== request.errored) this.refuse(request, response, error, seen);
    }
  }

  /** Answers one request too many of its address. */
  readonly tooMuch = (request: IncomingMessage, response: ServerResponse, waitMs: number): void =>
    this.refuse(request, response, tooMuchAtOnce(waitMs), { address: this.parts.address(request) });

  private async route(request: IncomingMessage, response: ServerResponse, seen: Seen): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const parts = path.split('/').slice(2);
    const isPost = request.method === 'POST';
    if (request.method !== 'GET' && !isPost) throw new PageError(405, 'This page is for a browser.');
    if (parts.length > 3 || parts.some((part) => !/^[\w-]{0,64}$/.test(part))) throw notThere();
    if (parts[0] === 'signed-in' && !isPost) return this.comeBack(response, new URLSearchParams(query));
    const browser = await this.parts.browsers.of(request, response);
    const asked = parts.join('/') === 'pass' && !isPost ? passAskedOf(new URLSearchParams(query)) : undefined;
    if (asked !== undefined) return this.letOn(response, browser, asked);
    if (browser === undefined) {
      if (isPost) throw new PageError(401, 'You are not signed in any more. Open your account again.');
      return this.toSignIn(response, parts.join('/'));
    }
    seen.browser = browser;
    const subject = `account/${browser.sessionId}`;
    const acting: Acting = {
      browser,
      by: { principal: principalStateOf(browser.principal), token: null, address: browser.address },
      form: this.parts.forms.token(request, response, subject),
      isRecent: this.parts.wallMs() - browser.signedInAtMs <= this.parts.recentMs,
    };
    if (!isPost) return this.show(response, parts, acting);
    const form = await formOf(request);
    this.parts.forms.ensure(request, form, subject);
    this.parts.takeChange(browser.principal.id);
    return this.change(response, parts, form, acting);
  }

  private async show(response: ServerResponse, parts: readonly string[], acting: Acting): Promise<void> {
    const { acts } = this.parts;
    const [first = '', second = '', third = ''] = parts;
    const place = parts.join('/');
    if (place === '') return answerPage(response, 200, 'Your account', await acts.overview(acting));
    if (!TARGET.test(place)) throw notThere();
    if (!acting.isRecent) return this.toSignIn(response, place);
    if (first === 'password') return answerPage(response, 200, 'Your password', await acts.passwordForm(acting));
    if (third === 'rotate') return answerPage(response, 200, 'Rotate a token', await acts.rotation(acting, second));
    return answerPage(response, 200, 'Make a token', acts.tokenForm(acting));
  }

  private async change(
    response: ServerResponse,
    parts: readonly string[],
    form: URLSearchParams,
    acting: Acting,
  ): Promise<void> {
    const { acts, browsers } = this.parts;
    const [first = '', second = '', third = ''] = parts;
    const place = parts.join('/');
    if (TARGET.test(place)) {
      if (!acting.isRecent) return this.toSignIn(response, place);
      const { status, title, body } = await this.sensitive(first, second, form, acting);
      return answerPage(response, status, title, body);
    }
    if (place === 'sign-out') {
      await acts.signOut(acting);
      browsers.forget(response);
      return answerPage(response, 200, 'Signed out', signedOutPage());
    }
    if (place === 'sessions/end-others') await acts.endOtherSessions(acting);
    else if (first === 'tokens' && third === 'revoke') await acts.revoke(acting, second);
    else if (first === 'clients' && third === 'end') await acts.endClient(acting, second);
    else if (first === 'sessions' && third === 'end') await acts.endSession(acting, second);
    else throw notThere();
    return redirect(response, '/account');
  }

  /** What asks for a recent sign-in. */
  private sensitive(
    first: string,
    id: string,
    form: URLSearchParams,
    acting: Acting,
  ): ReturnType<AccountActs['issue']> {
    const { acts } = this.parts;
    if (first === 'password') return acts.changePassword(acting, form, (why) => this.note(why, acting.browser));
    return id === 'new' ? acts.issue(acting, form) : acts.rotate(acting, id, form);
  }

  /** Back from the authorization server, which has let the browser in, or says why not. */
  private comeBack(response: ServerResponse, query: URLSearchParams): void {
    if (query.has('error')) {
      return answerPage(response, 401, 'Not signed in', againPage('Not signed in', 'You are not signed in.'));
    }
    const target = query.get('state') ?? '';
    const place = guestPlaceOf(target);
    if (place !== undefined) return redirect(response, place);
    return redirect(response, TARGET.test(target) ? `/account/${target}` : '/account');
  }

  /** On to pages that are of another service and let in who brings a pass. */
  private letOn(response: ServerResponse, browser: SignedInBrowser | undefined, asked: PassAsked): void {
    const { recentMs, passOf } = this.parts;
    const place = asked.to === '' ? asked.at : `${asked.at}/${asked.to}`;
    const isOld = browser !== undefined && this.parts.wallMs() - browser.signedInAtMs > recentMs;
    if (asked.isRecent && isOld) return redirect(response, accountSignInUrl(place, recentMs / 1_000 - AGREE_S));
    if (browser === undefined) return redirect(response, accountSignInUrl(place));
    const query = new URLSearchParams({ pass: passOf(browser, asked), to: asked.to });
    return redirect(response, `/${asked.at}/signed-in?${query.toString()}`);
  }

  /** To what matters nobody comes by a sign-in that is too old for it, nor by one of which the provider does not say when it was. */
  private toSignIn(response: ServerResponse, place: string): void {
    const isSensitive = TARGET.test(place);
    const maxAgeS = this.parts.recentMs / 1_000 - AGREE_S;
    return redirect(response, isSensitive ? accountSignInUrl(place, maxAgeS) : accountSignInUrl('overview'));
  }

  private refuse(request: IncomingMessage, response: ServerResponse, error: unknown, { address, browser }: Seen): void {
    const told = toldOf(error);
    if (told.code === 'WDR_INTERNAL') this.parts.onBug(storeAnswerOf(error));
    this.note({ ...told, method: request.method ?? '', address }, browser);
    if (response.headersSent) return;
    if (error instanceof PageRefusal) error.tell(response);
    answerPage(response, told.status, 'Your account', againPage('That did not work', told.sentence));
  }

  private note(
    why: { code: string; detail: string; status: number; method: string; address: string },
    browser: SignedInBrowser | undefined,
  ): void {
    const { code, detail, status, method, address } = why;
    const principal = browser === undefined ? null : principalStateOf(browser.principal);
    const isForbidden = status === 401 || status === 403;
    this.parts.onRefusal({ principal, address, method, route: '/account', code, detail, isForbidden });
  }
}

/** What the person is told, and what the record. */
function toldOf(thrown: unknown): { status: number; code: string; sentence: string; detail: string } {
  const error = storeAnswerOf(thrown);
  // In words of OAuth where it was the browser's session that could not be looked up.
  const isAway =
    (error as { error?: string }).error === 'temporarily_unavailable' ||
    (error instanceof AdminError && error.code === 'WDR_STORE_UNAVAILABLE');
  if (isAway) {
    const sentence = 'Warder cannot look that up at the moment. Try again in a minute.';
    return { status: 503, code: 'WDR_STORE_UNAVAILABLE', sentence, detail: 'the database is away' };
  }
  if (error instanceof PageError) {
    const { status, message } = error;
    const own = error instanceof PageRefusal ? error.code : undefined;
    return { status, code: own ?? CODES[status], sentence: message, detail: message };
  }
  if (error instanceof AdminError) {
    return { status: error.status, code: error.code, sentence: sentenceOf(error.message), detail: error.detail };
  }
  const sentence = 'Something went wrong here. Try again.';
  return { status: 500, code: 'WDR_INTERNAL', sentence, detail: 'a page of the account failed' };
}

function sentenceOf(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

/** @param waitMs - until there may be one more */
export function tooMuchAtOnce(waitMs: number): PageRefusal {
  return new PageRefusal(429, 'WDR_ACCOUNT_RATE_LIMITED', 'Too much at once. Wait a minute and try again.', waitMs);
}

function notThere(): PageError {
  return new PageError(404, 'There is no such page.');
}

function againPage(title: string, sentence: string): Html {
  return html`${noticePage(title, sentence)}
    <p><a href="/account">Your account</a></p>`;
}

function signedOutPage(): Html {
  return html`${noticePage('Signed out', 'This browser is signed out. Programs and tokens of yours go on.')}
    <p><a href="/account">Sign in again</a></p>`;
}
