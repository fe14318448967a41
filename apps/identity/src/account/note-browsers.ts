import type { IncomingMessage } from 'node:http';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { SeenBrowser, SessionsStore } from './sessions.store.js';

/** What an interaction left behind when the browser goes on from it. */
interface Result {
  readonly login?: object;
  /** The way in which the person has just signed in. */
  readonly provider?: string;
}

/**
 * Has every browser noted that signs in at the authorization server, or comes there signed in: from where, and with
 * which provider. Where that cannot be written the browser goes on: its session is what lets it in.
 */
export function noteBrowsers(
  provider: Provider,
  sessions: Pick<SessionsStore, 'signedIn' | 'seen'>,
  addressOf: (request: IncomingMessage) => string,
  onBug: (error: unknown) => void,
): void {
  provider.use(async (ctx, next) => {
    await next();
    const { oidc } = ctx as unknown as { readonly oidc?: KoaContextWithOIDC['oidc'] };
    const session = oidc?.session;
    if (oidc === undefined || session?.accountId === undefined) return;
    if ((session as { destroyed?: boolean }).destroyed === true) return;
    if (oidc.route !== 'authorization' && oidc.route !== 'resume') return;
    const browser: SeenBrowser = {
      sessionId: session.uid,
      principalId: session.accountId,
      address: addressOf(ctx.req),
      agent: ctx.req.headers['user-agent'],
    };
    const { login, provider: by = null } = (oidc.result ?? {}) as Result;
    await (login === undefined ? sessions.seen(browser) : sessions.signedIn(browser, by)).catch(onBug);
  });
}
