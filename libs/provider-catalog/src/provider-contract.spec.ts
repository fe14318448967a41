import { afterEach, describe, expect, it } from 'vitest';
import { credentialHeaders } from './account.js';
import { ContractRun, granted, START_MS } from './provider-contract.scene.js';
import type { ProviderEntry } from './provider-entry.js';
import { DOCUMENTED } from './provider-rules.scene.js';
import { PROVIDERS, provider } from './providers.scene.js';
import { isRevoked, revocationRequests } from './revocation-request.js';

const runs: ContractRun[] = [];

function run(id: string, change: (entry: ProviderEntry) => ProviderEntry = (entry) => entry, secret?: string) {
  const documented = DOCUMENTED[id];
  if (documented === undefined) throw new Error(`nothing is documented of ${id}`);
  const made = new ContractRun(change(provider(id)), documented, secret);
  runs.push(made);
  return made;
}

afterEach(async () => {
  for (const each of runs.splice(0)) await each.fake.stop();
});

const ids = [...PROVIDERS.keys()];
const refreshing = ids.filter((id) => provider(id).refresh.rotation !== 'no-refresh-token');
const rotating = refreshing.filter((id) => provider(id).refresh.rotation !== 'none');
const exchanging = ids.filter((id) =>
  provider(id).grants.some((grant) => grant === 'token_exchange' || grant === 'on_behalf_of'),
);
const revocable = ids.filter((id) => provider(id).revocation.kind !== 'none');

describe('every entry of the catalogue', () => {
  it('has its documents written down as rules', () => {
    expect(Object.keys(DOCUMENTED).toSorted()).toEqual(ids);
  });

  it.each(ids)('%s: connects an account, and its calls are answered', async (id) => {
    const at = run(id);
    const tokens = await at.connect();
    expect(at.fake.authorizes(credentialHeaders(at.setup, tokens.accessToken))).toBe(true);
    expect(await at.account(tokens)).toEqual(DOCUMENTED[id]?.account);
    const lifetime = DOCUMENTED[id]?.lifetime;
    expect(tokens.expiresAtMs).toBe(lifetime == null ? undefined : START_MS + lifetime * 1_000);
    expect(tokens.refreshToken === undefined).toBe(at.setup.entry.refresh.rotation === 'no-refresh-token');
  });

  it.each(ids)('%s: a code that was used, and a wrong secret, are told apart', async (id) => {
    const at = run(id);
    const code = await at.consent();
    granted(await at.exchange(code));
    expect(await at.exchange(code)).toMatchObject({ kind: 'terminal' });
    const stranger = run(id, undefined, 'wrong');
    expect(await stranger.exchange(await stranger.consent())).toMatchObject({ kind: 'client' });
  });

  it.each(refreshing)('%s: a refresh does to the old access token what the entry says', async (id) => {
    const at = run(id);
    const first = await at.connect();
    const second = granted(await at.refresh(first.refreshToken ?? ''));
    expect(at.fake.ledger.isAlive(second.accessToken)).toBe(true);
    expect(second.accessToken).not.toBe(first.accessToken);
    const isKilled = at.setup.entry.refresh.rotation === 'rotates-and-kills-access';
    expect(at.fake.ledger.isAlive(first.accessToken)).toBe(!isKilled);
  });

  it.each(rotating)('%s: a refresh gives a new refresh token, which is the one for the next', async (id) => {
    const at = run(id);
    const used = (await at.connect()).refreshToken ?? '';
    const second = granted(await at.refresh(used));
    expect(second.refreshToken).toMatch(/^refresh-/);
    expect(second.refreshToken).not.toBe(used);
    granted(await at.refresh(second.refreshToken ?? ''));
  });

  it.each(refreshing.filter((id) => !rotating.includes(id)))('%s: a refresh token stays what it is', async (id) => {
    const at = run(id);
    const used = (await at.connect()).refreshToken ?? '';
    expect(granted(await at.refresh(used)).refreshToken).toBeUndefined();
    granted(await at.refresh(used));
  });

  it.each(rotating)(
    '%s: a used refresh token is good within the tolerance of the entry, and terminal after it',
    async (id) => {
      const toleranceMs = provider(id).refresh.reuseToleranceSeconds * 1_000;
      const at = run(id);
      const used = (await at.connect()).refreshToken ?? '';
      granted(await at.refresh(used));
      if (toleranceMs > 0) {
        at.nowMs += toleranceMs - 1;
        granted(await at.refresh(used));
      }
      at.nowMs = START_MS + toleranceMs;
      expect(await at.refresh(used)).toMatchObject({ kind: 'terminal' });
    },
  );

  it.each(revocable)('%s: a revocation ends every token, and its answer is understood', async (id) => {
    const at = run(id);
    const tokens = await at.connect();
    for (const request of revocationRequests(at.setup, tokens))
      expect(isRevoked(at.setup.entry, await at.send(request))).toBe(true);
    expect(at.fake.ledger.isAlive(tokens.accessToken)).toBe(false);
    expect(at.fake.ledger.isRefreshable(tokens.refreshToken ?? '')).toBe(false);
    expect(isRevoked(at.setup.entry, { status: 503, body: '' })).toBe(false);
  });

  it.each(exchanging)(
    '%s: a person’s token is exchanged for another one, and a token that is none is not',
    async (id) => {
      const at = run(id);
      const { accessToken } = await at.connect();
      const exchanged = granted(await at.exchangeFor(accessToken, ['api://data/read']));
      expect(exchanged.accessToken).not.toBe(accessToken);
      expect(at.fake.ledger.isAlive(exchanged.accessToken)).toBe(true);
      expect(await at.exchangeFor('stolen', ['api://data/read'])).toMatchObject({ kind: 'terminal' });
    },
  );

  it('entra: refuses an exchange that is not on behalf of anybody', async () => {
    const at = run('entra', (entry) => ({ ...entry, token: { ...entry.token, parameters: {} } }));
    const { accessToken } = await at.connect();
    await expect(at.exchangeFor(accessToken, ['api://data/read'])).rejects.toThrow('exchange:');
  });

  it('sends no revocation where the provider documents none', async () => {
    const none = ids.filter((id) => !revocable.includes(id));
    expect(none).toEqual(['atlassian', 'entra', 'pagerduty', 'sentry', 'snowflake']);
    for (const id of none) {
      const at = run(id);
      expect(revocationRequests(at.setup, await at.connect())).toEqual([]);
    }
  });
});

const CHANGES: Readonly<Record<string, (entry: ProviderEntry) => ProviderEntry>> = {
  'PKCE is sent where it is not known, or not where it is': (entry) => ({
    ...entry,
    authorization: { ...entry.authorization, pkce: entry.authorization.pkce === 'none' ? 'S256' : 'none' },
  }),
  'the body has the other form': (entry) => ({
    ...entry,
    token: { ...entry.token, body: entry.token.body === 'form' ? 'json' : 'form' },
  }),
  'the token endpoint is another': (entry) => ({
    ...entry,
    token: { ...entry.token, endpoint: 'https://elsewhere.example/token' },
  }),
  'the authorization request has a parameter more': (entry) => ({
    ...entry,
    authorization: { ...entry.authorization, parameters: { ...entry.authorization.parameters, resource: 'x' } },
  }),
  'the code exchange has a parameter more': (entry) => ({
    ...entry,
    token: { ...entry.token, parameters: { authorization_code: { audience: 'x' } } },
  }),
};

describe('the fake provider of each entry', () => {
  it.each(ids.flatMap((id) => Object.keys(CHANGES).map((what) => [id, what] as const)))(
    '%s: refuses when %s',
    async (id, what) => {
      await expect(run(id, CHANGES[what]).connect()).rejects.toThrow(/is not|to be|documented/);
    },
  );

  it.each(['atlassian', 'google', 'notion'])('%s: refuses a consent without what it documents', async (id) => {
    const at = run(id, (entry) => ({ ...entry, authorization: { ...entry.authorization, parameters: {} } }));
    await expect(at.connect()).rejects.toThrow('authorization request');
  });

  it.each(['slack', 'linear', 'atlassian', 'pagerduty'])('%s: refuses scopes that are joined otherwise', async (id) => {
    const at = run(id, ({ scopes, ...entry }) => ({
      ...entry,
      scopes: { ...scopes, separator: scopes.separator === ' ' ? ',' : ' ' },
    }));
    await expect(at.connect()).rejects.toThrow('these are no scopes');
  });

  it.each(['gitlab', 'snowflake'])('%s: refuses a refresh without the redirect URI', async (id) => {
    const at = run(id, (entry) => ({ ...entry, refresh: { ...entry.refresh, sendsRedirectUri: false } }));
    const { refreshToken = '' } = await at.connect();
    await expect(at.refresh(refreshToken)).rejects.toThrow('refresh:');
  });

  it('slack: has no token where a first answer is looked for', async () => {
    const at = run('slack', ({ refreshAnswer: _shape, ...entry }) => entry);
    const { refreshToken = '' } = await at.connect();
    expect(await at.refresh(refreshToken)).toEqual({ kind: 'request', code: 'no_access_token' });
  });
});
