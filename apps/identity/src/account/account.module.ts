import { randomBytes } from 'node:crypto';
import type { AdminAccess } from '@warder/admin-access';
import { Buckets } from '@warder/limits';
import { BrowserForms } from '@warder/pages';
import { storeErrorOf } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { Provider as AuthorizationServer } from 'oidc-provider';
import type { GrantsStore } from '../authorization/grants.store.js';
import type { Sealing } from '../authorization/sealing.js';
import type { SigningKeysStore } from '../authorization/signing-keys.store.js';
import type { IdentityConfig } from '../identity-config.js';
import type { PasswordsStore } from '../sign-in/passwords.store.js';
import type { PeopleStore } from '../sign-in/people.store.js';
import type { TokenRotation } from '../token-rotation.store.js';
import type { TokensStore } from '../tokens.store.js';
import { AccountActs } from './account-acts.js';
import { Account, tooMuchAtOnce } from './account.js';
import { signPass } from './browser-pass.js';
import { BrowserSessions } from './browser-session.js';
import { noteBrowsers } from './note-browsers.js';
import type { SessionsStore } from './sessions.store.js';

const SWEEP_EVERY_MS = 600_000;
/** People whose changes are counted. */
const PEOPLE_MAX = 50_000;
/** Tries of one person at the password they have. */
const PASSWORDS = { emissionMs: 60_000 / 5, burst: 5 };

/** What the pages of the account stand on. */
export interface AccountStores {
  readonly tokens: TokensStore;
  readonly rotation: TokenRotation;
  readonly sessions: SessionsStore;
  readonly grants: GrantsStore;
  readonly people: PeopleStore;
  readonly passwords: PasswordsStore;
  readonly sealing: Sealing;
  readonly keys: SigningKeysStore;
  readonly access: AdminAccess;
}

/**
 * The pages under `/account`, beside the authorization server whose sessions let people in there.
 * @returns what answers them
 */
export function accountOf(
  config: IdentityConfig,
  host: Host,
  server: AuthorizationServer,
  stores: AccountStores,
): Account {
  const { sessions, people, passwords, sealing, access, keys } = stores;
  const { signIn, account, tokens: bounds } = config;
  const onBug = (error: unknown): void => host.log.error({ err: error }, 'a page of the account failed');
  const address: Host['door']['clientAddress'] = (request) => host.door.clientAddress(request);
  noteBrowsers(server, sessions, address, onBug);
  sweepOften(host, sessions);
  const isSecure = host.door.publicUrl().protocol === 'https:';
  const changes = { emissionMs: 60_000 / account.changesPerMinute, burst: account.changesPerMinute };
  const [changed, tried] = [new Buckets(PEOPLE_MAX), new Buckets(PEOPLE_MAX)];
  const take = (buckets: Buckets, key: string, rate: typeof PASSWORDS): void => {
    const left = buckets.take(key, rate, host.clock.monotonicMs());
    if (left < 0) throw tooMuchAtOnce(-left);
  };
  return new Account({
    browsers: new BrowserSessions(server, people, sessions, address),
    forms: new BrowserForms(sealing.cookieKeys()[0] ?? randomBytes(32).toString('hex'), isSecure),
    acts: new AccountActs({
      ...stores,
      passwords: (signIn.local ?? signIn.providers.length === 0) ? passwords : undefined,
      bounds,
      providerName: (id) => signIn.providers.find((provider) => provider.id === id)?.name ?? 'a password',
      takePassword: (principalId) => take(tried, principalId, PASSWORDS),
    }),
    passOf: (browser, asked) => signPass(keys.held, host.door.publicUrl().origin, browser, asked, host.clock.wallMs()),
    recentMs: host.adminRules.recentSignInMinutes * 60_000,
    address,
    wallMs: () => host.clock.wallMs(),
    takeChange: (principalId) => take(changed, principalId, changes),
    onRefusal: ({ principal, address: from, method, route, code, detail, isForbidden }) =>
      access.refused.note({
        kind: principal === null ? 'authentication' : 'admin',
        by: { principal, token: null, address: from },
        arguments: { method, route },
        refusal: { code, detail, isForbidden },
      }),
    onBug,
  });
}

function sweepOften(host: Host, sessions: SessionsStore): void {
  const sweep = (): void =>
    void sessions
      .sweep()
      .catch((error: unknown) => host.log.warn({ err: storeErrorOf(error) }, 'ended browsers could not be removed'));
  const sweeper = setInterval(sweep, SWEEP_EVERY_MS).unref();
  host.onDrain('browsers', async () => clearInterval(sweeper));
}
