import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Provider } from 'oidc-provider';
import type { Principal } from '../principal.entity.js';
import type { PeopleStore } from '../sign-in/people.store.js';
import type { SessionsStore } from './sessions.store.js';

/** The person in front of the browser that asks. */
export interface SignedInBrowser {
  readonly sessionId: string;
  readonly principal: Principal;
  /** When the person last said who they are, wall milliseconds. */
  readonly signedInAtMs: number;
  readonly address: string;
}

/** The authorization server's session of a browser, as pages of our own are let in by it. */
export class BrowserSessions {
  constructor(
    private readonly provider: Provider,
    private readonly people: Pick<PeopleStore, 'active'>,
    private readonly sessions: SessionsStore,
    private readonly addressOf: (request: IncomingMessage) => string,
  ) {}

  /** Who is signed in, where somebody is and may be. Asks the database each time: an end is one at once. */
  async of(request: IncomingMessage, response: ServerResponse): Promise<SignedInBrowser | undefined> {
    const session = await this.provider.Session.get(this.provider.createContext(request, response) as never);
    const { accountId, uid, loginTs } = session;
    if (accountId === undefined || loginTs === undefined) return undefined;
    const principal = await this.people.active(accountId);
    if (principal === undefined) return undefined;
    const address = this.addressOf(request);
    await this.sessions.seen({ sessionId: uid, principalId: accountId, address, agent: undefined });
    return { sessionId: uid, principal, signedInAtMs: loginTs * 1_000, address };
  }

  /** Has the browser forget what no longer means anything. */
  forget(response: ServerResponse): void {
    const name = this.provider.cookieName('session');
    const secure = name.startsWith('__Host-') ? '; Secure' : '';
    for (const each of [name, `${name}.sig`])
      response.appendHeader('set-cookie', `${each}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax${secure}`);
  }
}
