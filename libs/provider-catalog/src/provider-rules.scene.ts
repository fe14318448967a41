import type { FakeProviderRules, IssuedTokens } from '@warder/testing';

/** What the documents named in each entry say, written down a second time as a server would hold a client to it. */
type Rules = FakeProviderRules;
type Answer = ReturnType<Rules['token']['failure']>;

const json = (status: number, body: unknown): Answer => ({ status, body: JSON.stringify(body) });
const rfc6749 = (why: 'code' | 'refresh' | 'client') =>
  why === 'client' ? json(401, { error: 'invalid_client' }) : json(400, { error: 'invalid_grant' });
const plain =
  (expiresIn: number | undefined, more: object = {}) =>
  (issued: IssuedTokens) => ({
    access_token: issued.accessToken,
    token_type: 'bearer',
    ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
    ...(issued.refreshToken === undefined ? {} : { refresh_token: issued.refreshToken }),
    scope: issued.scopes.join(' '),
    ...more,
  });
const idToken = (claims: object) =>
  `eyJhbGciOiJSUzI1NiJ9.${Buffer.from(JSON.stringify({ aud: 'client-1', ...claims })).toString('base64url')}.c2ln`;
const ok = () => json(200, {});
const okOrInvalid = (wasGood: boolean) => (wasGood ? json(200, {}) : json(400, { error: 'invalid_token' }));

const githubFailure = (why: 'code' | 'refresh' | 'client') =>
  json(200, {
    error: { code: 'bad_verification_code', refresh: 'bad_refresh_token', client: 'incorrect_client_credentials' }[why],
    error_description: 'The code passed is incorrect or expired.',
  });
const githubAccount = {
  at: 'https://api.github.com/user',
  method: 'GET',
  answer: { id: 583231, login: 'octocat' },
} as const;
const githubRevoke: Rules['revoke'] = {
  at: 'https://api.github.com/applications/client-1/grant',
  method: 'DELETE',
  proof: 'basic',
  body: { format: 'json', field: 'access_token' },
  endsBoth: true,
  answer: (wasGood) => ({ status: wasGood ? 204 : 404, body: '' }),
};

const GITHUB_APP: Rules = {
  authorize: {
    at: 'https://github.com/login/oauth/authorize',
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ' ', taken: [] },
    parameters: {},
  },
  token: {
    at: 'https://github.com/login/oauth/access_token',
    body: 'form',
    authentication: 'post',
    answer: (issued) => ({ ...plain(28_800)(issued), refresh_token_expires_in: 15_811_200, scope: '' }),
    failure: githubFailure,
  },
  refresh: { gives: 'new-pair-and-kills-access', toleranceMs: 0 },
  account: githubAccount,
  revoke: githubRevoke,
};

const GITHUB_OAUTH_APP: Rules = {
  ...GITHUB_APP,
  authorize: {
    ...GITHUB_APP.authorize,
    scopes: { parameter: 'scope', separator: ' ', taken: ['repo', 'read:org', 'read:user'] },
  },
  token: {
    ...GITHUB_APP.token,
    answer: ({ accessToken, scopes }) => ({ access_token: accessToken, scope: scopes.join(','), token_type: 'bearer' }),
  },
  refresh: { gives: 'no-refresh-token', toleranceMs: 0 },
};

const ATLASSIAN: Rules = {
  authorize: {
    at: 'https://auth.atlassian.com/authorize',
    pkce: 'refused',
    scopes: {
      parameter: 'scope',
      separator: ' ',
      taken: [
        'offline_access',
        'read:me',
        'read:jira-work',
        'read:jira-user',
        'read:confluence-content.all',
        'search:confluence',
      ],
    },
    parameters: { audience: 'api.atlassian.com', prompt: 'consent' },
  },
  token: {
    at: 'https://auth.atlassian.com/oauth/token',
    body: 'json',
    authentication: 'post',
    answer: plain(3_600),
    failure: (why) =>
      why === 'refresh'
        ? json(403, { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' })
        : rfc6749(why),
  },
  refresh: { gives: 'new-pair', toleranceMs: 600_000 },
  account: {
    at: 'https://api.atlassian.com/me',
    method: 'GET',
    answer: { account_id: '5b10', email: 'ana@example.com' },
  },
};

const SENTRY: Rules = {
  authorize: {
    at: 'https://sentry.io/oauth/authorize/',
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ' ', taken: ['org:read', 'project:read', 'team:read', 'event:read'] },
    parameters: {},
  },
  token: {
    at: 'https://sentry.io/oauth/token/',
    body: 'form',
    authentication: 'post',
    answer: plain(2_591_999, {
      expires_at: '2026-12-29T00:00:00.000000Z',
      user: { id: '123', name: 'Jane Doe', email: 'jane@example.com' },
    }),
    failure: rfc6749,
  },
  refresh: { gives: 'new-pair-and-kills-access', toleranceMs: 0 },
};

const DATADOG: Rules = {
  authorize: {
    at: 'https://app.datadoghq.com/oauth2/v1/authorize',
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ' ', taken: [] },
    parameters: {},
  },
  token: {
    at: 'https://api.datadoghq.com/oauth2/v1/token',
    body: 'form',
    authentication: 'post',
    answer: plain(3_600),
    failure: rfc6749,
  },
  refresh: { gives: 'new-pair', toleranceMs: 0 },
  revoke: {
    at: 'https://api.datadoghq.com/oauth2/v1/revoke',
    method: 'POST',
    proof: 'bearer',
    body: { format: 'form', field: 'token' },
    endsBoth: false,
    answer: ok,
  },
};

const INTERNAL: Rules = {
  authorize: {
    at: 'https://login.internal.example/oauth2/authorize',
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ' ', taken: [] },
    parameters: {},
  },
  token: {
    at: 'https://login.internal.example/oauth2/token',
    body: 'form',
    authentication: 'basic',
    answer: plain(undefined),
    failure: rfc6749,
  },
  refresh: { gives: 'new-pair', toleranceMs: 0 },
  account: {
    at: 'https://login.internal.example/oauth2/userinfo',
    method: 'GET',
    answer: { sub: 'u-1', preferred_username: 'ana' },
  },
  revoke: {
    at: 'https://login.internal.example/oauth2/revoke',
    method: 'POST',
    proof: 'basic',
    body: { format: 'form', field: 'token' },
    endsBoth: false,
    answer: ok,
  },
};

const GOOGLE: Rules = {
  authorize: {
    at: 'https://accounts.google.com/o/oauth2/v2/auth',
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ' ', taken: ['openid', 'email'] },
    parameters: { access_type: 'offline', prompt: 'consent' },
  },
  token: {
    at: 'https://oauth2.googleapis.com/token',
    body: 'form',
    authentication: 'post',
    answer: plain(3_599, { id_token: idToken({ sub: '110169', email: 'ana@example.com' }) }),
    failure: rfc6749,
  },
  refresh: { gives: 'access-only', toleranceMs: 0 },
  revoke: {
    at: 'https://oauth2.googleapis.com/revoke',
    method: 'POST',
    proof: 'none',
    body: { format: 'form', field: 'token' },
    endsBoth: true,
    answer: okOrInvalid,
  },
};

const TENANT = 'https://login.microsoftonline.com/11111111-2222-3333-4444-555555555555/oauth2/v2.0';
const ENTRA: Rules = {
  authorize: {
    at: `${TENANT}/authorize`,
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ' ', taken: ['openid', 'profile', 'offline_access', 'User.Read'] },
    parameters: {},
  },
  token: {
    at: `${TENANT}/token`,
    body: 'form',
    authentication: 'post',
    answer: plain(3_599, { id_token: idToken({ oid: '6467882c', preferred_username: 'ana@example.com' }) }),
    failure: rfc6749,
  },
  refresh: { gives: 'new-pair', toleranceMs: 7_776_000_000 },
};

const SLACK: Rules = {
  authorize: {
    at: 'https://slack.com/oauth/v2/authorize',
    pkce: 'refused',
    scopes: {
      parameter: 'user_scope',
      separator: ',',
      taken: ['channels:read', 'channels:history', 'users:read', 'search:read'],
    },
    parameters: {},
  },
  token: {
    at: 'https://slack.com/api/oauth.v2.access',
    body: 'form',
    authentication: 'basic',
    answer: (issued) => {
      const tokens = { ...plain(43_200)(issued), token_type: 'user', scope: issued.scopes.join(',') };
      if (issued.grant === 'refresh') return { ok: true, ...tokens };
      return { ok: true, authed_user: { id: 'U1', ...tokens }, team: { id: 'T1', name: 'Acme' } };
    },
    failure: (why) =>
      json(200, {
        ok: false,
        error: { code: 'invalid_code', refresh: 'invalid_refresh_token', client: 'bad_client_secret' }[why],
      }),
  },
  refresh: { gives: 'new-pair', toleranceMs: 0 },
  revoke: {
    at: 'https://slack.com/api/auth.revoke',
    method: 'POST',
    proof: 'bearer',
    endsBoth: true,
    answer: (wasGood) => json(200, wasGood ? { ok: true, revoked: true } : { ok: false, error: 'token_revoked' }),
  },
};

const GITLAB: Rules = {
  authorize: {
    at: 'https://gitlab.com/oauth/authorize',
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ' ', taken: ['read_user', 'read_api'] },
    parameters: {},
  },
  token: {
    at: 'https://gitlab.com/oauth/token',
    body: 'form',
    authentication: 'post',
    refreshNamesRedirect: true,
    answer: plain(7_200, { created_at: 1_607_635_748 }),
    failure: rfc6749,
  },
  refresh: { gives: 'new-pair-and-kills-access', toleranceMs: 0 },
  account: { at: 'https://gitlab.com/api/v4/user', method: 'GET', answer: { id: 1, username: 'ana' } },
  revoke: {
    at: 'https://gitlab.com/oauth/revoke',
    method: 'POST',
    proof: 'post',
    body: { format: 'form', field: 'token' },
    endsBoth: true,
    answer: ok,
  },
};

const NOTION_VERSION = { 'notion-version': '2026-03-11' };
const NOTION: Rules = {
  authorize: {
    at: 'https://api.notion.com/v1/oauth/authorize',
    pkce: 'refused',
    scopes: { parameter: 'scope', separator: ' ', taken: [] },
    parameters: { owner: 'user' },
  },
  token: {
    at: 'https://api.notion.com/v1/oauth/token',
    body: 'json',
    authentication: 'basic',
    headers: NOTION_VERSION,
    answer: ({ accessToken, refreshToken }) => ({
      access_token: accessToken,
      token_type: 'bearer',
      refresh_token: refreshToken,
      bot_id: '3c90c3cc',
      workspace_id: 'w-1',
      workspace_name: 'Acme',
      owner: { type: 'user', user: { id: 'u-1', name: 'Ana' } },
    }),
    failure: rfc6749,
  },
  refresh: { gives: 'new-pair', toleranceMs: 0 },
  revoke: {
    at: 'https://api.notion.com/v1/oauth/revoke',
    method: 'POST',
    proof: 'basic',
    body: { format: 'json', field: 'token' },
    headers: NOTION_VERSION,
    endsBoth: true,
    answer: ok,
  },
  callHeaders: NOTION_VERSION,
};

const LINEAR: Rules = {
  authorize: {
    at: 'https://linear.app/oauth/authorize',
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ',', taken: ['read', 'write'] },
    parameters: {},
  },
  token: {
    at: 'https://api.linear.app/oauth/token',
    body: 'form',
    authentication: 'post',
    answer: plain(86_399),
    failure: rfc6749,
  },
  refresh: { gives: 'new-pair', toleranceMs: 0 },
  account: {
    at: 'https://api.linear.app/graphql',
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"query { viewer { id email } }"}',
    answer: { data: { viewer: { id: 'v-1', email: 'ana@example.com' } } },
  },
  revoke: {
    at: 'https://api.linear.app/oauth/revoke',
    method: 'POST',
    proof: 'bearer',
    body: { format: 'form', field: 'token' },
    endsBoth: false,
    answer: (wasGood) => ({ status: wasGood ? 200 : 400, body: '' }),
  },
};

const SALESFORCE: Rules = {
  authorize: {
    at: 'https://login.salesforce.com/services/oauth2/authorize',
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ' ', taken: ['refresh_token', 'openid', 'api'] },
    parameters: {},
  },
  token: {
    at: 'https://login.salesforce.com/services/oauth2/token',
    body: 'form',
    authentication: 'basic',
    answer: plain(undefined, {
      instance_url: 'https://acme.my.salesforce.com',
      id: 'https://login.salesforce.com/id/00Dx/005x',
      issued_at: '1708058728442',
      signature: 'c2ln',
    }),
    failure: rfc6749,
  },
  refresh: { gives: 'access-only', toleranceMs: 0 },
  account: {
    at: 'https://login.salesforce.com/services/oauth2/userinfo',
    method: 'GET',
    answer: {
      sub: 'https://login.salesforce.com/id/00Dx/005x',
      user_id: '005x',
      preferred_username: 'ana@acme.example',
    },
  },
  revoke: {
    at: 'https://login.salesforce.com/services/oauth2/revoke',
    method: 'POST',
    proof: 'none',
    body: { format: 'form', field: 'token' },
    endsBoth: true,
    answer: okOrInvalid,
  },
};

const SNOWFLAKE: Rules = {
  authorize: {
    at: 'https://acme-analytics.snowflakecomputing.com/oauth/authorize',
    pkce: 'demanded',
    scopes: { parameter: 'scope', separator: ' ', taken: ['refresh_token'] },
    parameters: {},
  },
  token: {
    at: 'https://acme-analytics.snowflakecomputing.com/oauth/token-request',
    body: 'form',
    authentication: 'basic',
    refreshNamesRedirect: true,
    answer: plain(600, { username: 'ANA' }),
    failure: rfc6749,
  },
  refresh: { gives: 'access-only', toleranceMs: 0 },
  callHeaders: { 'x-snowflake-authorization-token-type': 'OAUTH' },
};

const PAGERDUTY: Rules = {
  authorize: {
    at: 'https://identity.pagerduty.com/oauth/authorize',
    pkce: 'demanded',
    scopes: {
      parameter: 'scope',
      separator: ' ',
      taken: ['openid', 'users.read', 'incidents.read', 'services.read', 'schedules.read'],
    },
    parameters: {},
  },
  token: {
    at: 'https://identity.pagerduty.com/oauth/token',
    body: 'form',
    authentication: 'post',
    answer: plain(86_400),
    failure: rfc6749,
  },
  refresh: { gives: 'new-pair', toleranceMs: 0 },
  account: {
    at: 'https://api.pagerduty.com/users/me',
    method: 'GET',
    headers: { accept: 'application/vnd.pagerduty+json;version=2' },
    answer: { user: { id: 'PXPGF42', email: 'ana@example.com' } },
  },
};

/** By the id of the entry: the rules, and what is expected of the connection that an entry makes under them. */
export const DOCUMENTED: Readonly<
  Record<
    string,
    {
      readonly rules: Rules;
      readonly parameters?: Readonly<Record<string, string>>;
      readonly account: { readonly id: string; readonly name: string } | undefined;
      /** Scopes that are named beside the required ones. */
      readonly asks?: readonly string[];
      /** Seconds after which the access token is thought to end; null: never. */
      readonly lifetime: number | null;
    }
  >
> = {
  'github-app': { rules: GITHUB_APP, account: { id: '583231', name: 'octocat' }, lifetime: 28_800 },
  'github-oauth-app': { rules: GITHUB_OAUTH_APP, account: { id: '583231', name: 'octocat' }, lifetime: null },
  atlassian: {
    rules: ATLASSIAN,
    parameters: { site: 'acme.atlassian.net' },
    account: { id: '5b10', name: 'ana@example.com' },
    lifetime: 3_600,
  },
  sentry: { rules: SENTRY, account: { id: '123', name: 'jane@example.com' }, lifetime: 2_591_999 },
  datadog: { rules: DATADOG, account: undefined, lifetime: 3_600 },
  'internal-oauth': {
    rules: INTERNAL,
    parameters: {
      authorization_endpoint: 'https://login.internal.example/oauth2/authorize',
      token_endpoint: 'https://login.internal.example/oauth2/token',
      revocation_endpoint: 'https://login.internal.example/oauth2/revoke',
      userinfo_endpoint: 'https://login.internal.example/oauth2/userinfo',
    },
    account: { id: 'u-1', name: 'ana' },
    lifetime: 300,
  },
  google: { rules: GOOGLE, account: { id: '110169', name: 'ana@example.com' }, lifetime: 3_599 },
  entra: {
    rules: ENTRA,
    parameters: { tenant: '11111111-2222-3333-4444-555555555555' },
    account: { id: '6467882c', name: 'ana@example.com' },
    lifetime: 3_599,
  },
  slack: { rules: SLACK, account: { id: 'U1', name: 'Acme' }, lifetime: 43_200 },
  gitlab: { rules: GITLAB, account: { id: '1', name: 'ana' }, lifetime: 7_200 },
  notion: { rules: NOTION, account: { id: '3c90c3cc', name: 'Acme' }, lifetime: null },
  linear: { rules: LINEAR, asks: ['write'], account: { id: 'v-1', name: 'ana@example.com' }, lifetime: 86_399 },
  salesforce: { rules: SALESFORCE, account: { id: '005x', name: 'ana@acme.example' }, lifetime: 7_200 },
  snowflake: {
    rules: SNOWFLAKE,
    parameters: { account: 'acme-analytics' },
    account: { id: 'ANA', name: 'ANA' },
    lifetime: 600,
  },
  pagerduty: { rules: PAGERDUTY, account: { id: 'PXPGF42', name: 'ana@example.com' }, lifetime: 86_400 },
};
