import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerPage, formOf, noticePage, PageError, redirect } from '@warder/pages';
import type { CompanyProvider } from './company-provider.js';
import type { PeopleStore } from './people.store.js';
import type { SignInLimits } from './sign-in-limits.js';

/**
 * A provider sends a browser, or asks itself, to sign somebody out: every session and client of theirs ends here. It is
 * believed by its signature alone; whose browser brings it does not count.
 * @see SAML 2.0 Profiles section 4.4
 */
export class SingleLogout {
  constructor(
    private readonly providers: readonly CompanyProvider[],
    private readonly people: PeopleStore,
    private readonly addressOf: (request: IncomingMessage) => string,
    private readonly limits: Pick<SignInLimits, 'noteRefused'>,
    private readonly onFailure: (told: { code: 'WDR_SIGN_IN_FAILED'; detail: string; address: string }) => void,
  ) {}

  /** @throws PageError for what is not taken, which is on record then */
  async handle(request: IncomingMessage, response: ServerResponse, id: string, query: string): Promise<void> {
    const from = this.providers.find(({ provider }) => provider.id === id);
    if (from?.loggedOutBy === undefined) throw new PageError(404, 'There is no such page.');
    const address = this.addressOf(request);
    const isPost = request.method === 'POST';
    const form = isPost ? await formOf(request, from.postedAnswers?.bytesMax) : undefined;
    const brought = { method: isPost ? 'POST' : 'GET', query: query.replace(/^\?/, ''), form } as const;
    const logout = await from.loggedOutBy(brought).catch((error: unknown) => {
      this.limits.noteRefused(address);
      return this.refuse(id, address, (error as { code?: string }).code ?? (error as Error).message);
    });
    const person = { provider: id, subject: logout.subject };
    const by = { principal: null, token: null, address };
    const why = { why: 'single logout', provider: id };
    const isNew = await this.people.signOutOnce(`logout/${id}/${logout.messageId}`, person, by, why);
    if (!isNew) this.refuse(id, address, 'replayed');
    const to = await logout.answer();
    if (to !== undefined) return redirect(response, to);
    answerPage(response, 200, 'Signed out', noticePage('You are signed out', 'You can close this window.'));
  }

  private refuse(id: string, address: string, reason: string): never {
    const detail = `${id}: a request to sign out was not taken: ${reason}`;
    this.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail, address });
    throw new PageError(400, 'This request to sign out is not taken.');
  }
}
