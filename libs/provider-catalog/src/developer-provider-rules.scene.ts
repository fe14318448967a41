import { json, ok, plain, rfc6749, type Rules } from './provider-answers.scene.js';

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

export const GITHUB_APP: Rules = {
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

export const GITHUB_OAUTH_APP: Rules = {
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

export const ATLASSIAN: Rules = {
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

export const SENTRY: Rules = {
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

export const DATADOG: Rules = {
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

export const GITLAB: Rules = {
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
export const NOTION: Rules = {
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

export const LINEAR: Rules = {
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

export const PAGERDUTY: Rules = {
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
