import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerJson } from '@warder/service-host';
import type { CompanyProvider } from './company-provider.js';
import type { PeopleStore } from './people.store.js';
import { formOf, PageError } from './web.js';

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
    try {
      const { subject, tokenId } = await from.loggedOut(token);
      const person = await this.people.bySubject(id, subject);
      const by = { principal: null, token: null, address };
      const isNew = await this.people.isFirst(`logout/${id}/${tokenId}`);
      if (!isNew) throw new Error('replayed');
      if (person !== undefined) await this.people.signOut(person.id, by, { why: 'back-channel logout', provider: id });
    } catch (error) {
      const reason = (error as { code?: string }).code ?? (error as Error).message;
      this.onFailure({ code: 'WDR_SIGN_IN_FAILED', detail: `${id}: a logout token was not taken: ${reason}`, address });
      return answerJson(response, 400, {
        error: 'invalid_request',
        error_description: 'the logout token is not taken',
      });
    }
    response.writeHead(200, { 'cache-control': 'no-store', 'content-length': 0 });
    response.end();
  }
}
