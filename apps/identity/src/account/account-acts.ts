import { html, type Html, noticePage, PageError } from '@warder/pages';
import { AdminError } from '@warder/service-host';
import type { AdminActor } from '@warder/postgres';
import type { GrantsStore } from '../authorization/grants.store.js';
import type { IdentityConfig } from '../identity-config.js';
import { principalStateOf } from '../principal.entity.js';
import { PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, type PasswordsStore } from '../sign-in/passwords.store.js';
import type { TokenRotation } from '../token-rotation.store.js';
import type { TokensStore, TokenView } from '../tokens.store.js';
import { accountPage } from './account-pages.js';
import type { SignedInBrowser } from './browser-session.js';
import type { SessionsStore } from './sessions.store.js';
import { rotationOf, type TokenFields, tokenFieldsOf, tokenOf } from './token-form.js';
import { issuedPage, newTokenPage, passwordChangePage, rotatePage } from './token-pages.js';

/** Tokens on the first page at most. */
const TOKENS_SHOWN_MAX = 200;

/** Who acts, and what ties the act to their browser. */
export interface Acting {
  readonly browser: SignedInBrowser;
  readonly by: AdminActor;
  /** Goes into every form. */
  readonly form: string;
  /** Whether the person signed in a short time ago. */
  readonly isRecent: boolean;
}

export interface AccountActsParts {
  readonly tokens: TokensStore;
  readonly rotation: TokenRotation;
  readonly sessions: SessionsStore;
  readonly grants: GrantsStore;
  /** Undefined where there are no passwords of our own. */
  readonly passwords: PasswordsStore | undefined;
  readonly bounds: IdentityConfig['tokens'];
  readonly providerName: (id: string) => string;
  /** Takes one try at a password of the principal's. @throws PageRefusal 429 WDR_ACCOUNT_RATE_LIMITED */
  takePassword(principalId: string): void;
}

/** A page and its status. */
export interface Answer {
  readonly status: number;
  readonly title: string;
  readonly body: Html;
}

/** What a person does with what is theirs. Whatever is named and is somebody else's is not there. */
export class AccountActs {
  constructor(private readonly parts: AccountActsParts) {}

  async overview({ browser, form }: Acting): Promise<Html> {
    const { tokens, grants, sessions, providerName } = this.parts;
    const { id } = browser.principal;
    const [mine, clients, browsers, hasPassword] = await Promise.all([
      tokens.active(id, TOKENS_SHOWN_MAX + 1),
      grants.list(id),
      sessions.list(id),
      this.hasPassword(id),
    ]);
    return accountPage({
      principal: principalStateOf(browser.principal),
      form,
      tokens: mine.slice(0, TOKENS_SHOWN_MAX),
      hasMoreTokens: mine.length > TOKENS_SHOWN_MAX,
      clients,
      sessions: browsers,
      sessionId: browser.sessionId,
      providerName,
      hasPassword,
    });
  }

  tokenForm({ form }: Acting): Html {
    const { bounds } = this.parts;
    return newTokenPage({ form, fields: emptyFields(bounds.defaultDays), bounds, fault: null });
  }

  async issue({ form, by, browser }: Acting, sent: URLSearchParams): Promise<Answer> {
    const { bounds, tokens } = this.parts;
    const fields = tokenFieldsOf(sent);
    const again = (fault: string): Answer => ({
      status: 400,
      title: 'Make a token',
      body: newTokenPage({ form, fields, bounds, fault }),
    });
    const asked = tokenOf(fields);
    if (typeof asked === 'string') return again(asked);
    if ((asked.expiresInDays ?? 1) > bounds.maxDays) return again(`A token lives ${bounds.maxDays} days at most.`);
    const { token, ...view } = await tokens.issue(browser.principal.id, asked, by);
    return { status: 200, title: 'Your token', body: issuedPage(view, token) };
  }

  async rotation({ form, browser }: Acting, id: string): Promise<Html> {
    const { defaultGraceSeconds: defaultSeconds, graceSecondsMax: maxSeconds } = this.parts.bounds;
    return rotatePage(await this.token(browser, id), form, { defaultSeconds, maxSeconds });
  }

  async rotate({ by, browser }: Acting, id: string, sent: URLSearchParams): Promise<Answer> {
    const { token, ...view } = await this.parts.rotation.rotate(id, rotationOf(sent), by, browser.principal.id);
    return { status: 200, title: 'Your token', body: issuedPage(view, token) };
  }

  async revoke({ by, browser }: Acting, id: string): Promise<void> {
    await this.parts.tokens.revoke(id, by, browser.principal.id);
  }

  async endClient({ by, browser }: Acting, id: string): Promise<void> {
    await this.parts.grants.endOf(browser.principal.id, id, by);
  }

  async endSession({ by, browser }: Acting, id: string): Promise<void> {
    await this.parts.sessions.end(browser.principal.id, id, by);
  }

  async endOtherSessions({ by, browser }: Acting): Promise<void> {
    await this.parts.sessions.endOthers(browser.principal.id, browser.sessionId, by);
  }

  async signOut({ by, browser }: Acting): Promise<void> {
    await this.parts.sessions.end(browser.principal.id, browser.sessionId, by);
  }

  async passwordForm({ form, browser }: Acting): Promise<Html> {
    if (!(await this.hasPassword(browser.principal.id))) throw new PageError(404, 'There is no such page.');
    return passwordChangePage(form, null);
  }

  /** @param onWrong - told of a try with a password that is not the person's, for the record */
  async changePassword(
    { form, by, browser }: Acting,
    sent: URLSearchParams,
    onWrong: (why: { code: string; detail: string; status: number; method: string; address: string }) => void,
  ): Promise<Answer> {
    const { passwords, sessions, grants } = this.parts;
    const { id } = browser.principal;
    if (passwords === undefined || !(await passwords.has(id))) throw new PageError(404, 'There is no such page.');
    this.parts.takePassword(id);
    const again = (status: number, fault: string): Answer => ({
      status,
      title: 'Your password',
      body: passwordChangePage(form, fault),
    });
    const wanted = sent.get('new') ?? '';
    if (wanted.length < PASSWORD_CHARS_MIN || wanted.length > PASSWORD_CHARS_MAX)
      return again(400, `A password has ${PASSWORD_CHARS_MIN} to ${PASSWORD_CHARS_MAX} characters.`);
    const isChanged = await passwords.change(id, { old: sent.get('old') ?? '', wanted }, by, async (manager) => {
      await sessions.endOthersWithin(manager, id, browser.sessionId, by);
      if (sent.get('programs') === 'end') await grants.endAllWithin(manager, id, by);
    });
    if (!isChanged) {
      const { address } = browser;
      const detail = 'local: the old password is another one';
      onWrong({ code: 'WDR_SIGN_IN_FAILED', detail, status: 401, method: 'POST', address });
      return again(401, 'The password you have is another one.');
    }
    const body = html`${noticePage('Changed', 'Sign in with the new password from now on.')}
      <p><a href="/account">Back to your account</a></p>`;
    return { status: 200, title: 'Your password', body };
  }

  private async hasPassword(principalId: string): Promise<boolean> {
    return (await this.parts.passwords?.has(principalId)) ?? false;
  }

  private async token({ principal }: SignedInBrowser, id: string): Promise<TokenView> {
    const mine = await this.parts.tokens.find(id, principal.id);
    if (mine.status === 'active') return mine;
    throw new AdminError(409, 'WDR_TOKEN_INACTIVE', 'the token is revoked or expired');
  }
}

function emptyFields(days: number): TokenFields {
  return { name: '', days: String(days), servers: '', tools: '', addresses: '', isReadOnly: false };
}
