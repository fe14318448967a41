import type { IncomingMessage, ServerResponse } from 'node:http';
import { formOf, PageError } from '@warder/pages';
import { answerJson } from '@warder/service-host';
import type { CompanyProvider } from './company-provider.js';
import type { PeopleStore } from './people.store.js';

/**
 * A provider says that somebody has signed out there, or was signed out: every session and client of theirs ends here.
 * @see OpenID Connect Back-Channel Logout 1.0 sections 2.5 to 2.8
 */
export class BackchannelLogout {
  constructor(
    private readonly providers: readonly CompanyProvider[],
    private readonly people: PeopleStore,
    private readonly addressOf: (request: IncomingMessage) => string,
    private readonly onFailure: (told: { code: 'WDR_SIGN_IN_FAILED'; detail: string; address: string }) => void,
  ) {}

  /** @throws PageError for what is no form */
  async handle(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    const from = this.providers.find(({ provider }) => provider.id === id);
    if (from?.loggedOut === undefined || request.method !== 'POST') throw new PageError(404, 'There is no such page.');
    const address = this.addressOf(request);
    const token = (await formOf(request)).get('logout_token') ?? '';
    const loggedOut = await from.loggedOut(token).catch((error: unknown) => error as Error);
    if (loggedOut instanceof Error) return this.refuse(response, id, address, codeOf(loggedOut));
    const { subject, tokenId } = loggedOut;
    const person = { provider: id, subject };
    const by = { principal: null, token: null, address };
    const why = { why: 'back-channel logout', provider: id };
    const isNew = await this.people.signOutOnce(`logout/${id}/${tokenId}`, person, by, why);
    if (!isNew) return this.refuse(response, id, address, 'replayed');
    response.writeHead(200, { 'cache-control': 'no-store', 'content-length': 0 });
    response.end();
  }

  private refuse(response: ServerResponse, id: string, address: string, reason: string): void {
    this.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail: `${id}: a logout token was not taken: ${reason}`, address });
    answerJson(response, 400, { error: 'invalid_request', error_description: 'the logout token is not taken' });
  }
}

function codeOf(error: Error): string {
  return (error as { code?: string }).code ?? error.message;
}
