import { idToken, json, ok, okOrInvalid, plain, rfc6749, type Rules } from './provider-answers.scene.js';

export const INTERNAL: Rules = {
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
  exchange: {
    grant: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject: 'subject_token',
    fields: {
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    },
  },
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

export const GOOGLE: Rules = {
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
export const ENTRA: Rules = {
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
  exchange: {
    grant: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    subject: 'assertion',
    fields: { requested_token_use: 'on_behalf_of' },
  },
};

export const SLACK: Rules = {
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

export const SALESFORCE: Rules = {
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

export const SNOWFLAKE: Rules = {
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
