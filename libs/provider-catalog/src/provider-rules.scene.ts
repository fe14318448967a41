import { ENTRA, GOOGLE, INTERNAL, SALESFORCE, SLACK, SNOWFLAKE } from './company-provider-rules.scene.js';
import {
  ATLASSIAN,
  DATADOG,
  GITHUB_APP,
  GITHUB_OAUTH_APP,
  GITLAB,
  LINEAR,
  NOTION,
  PAGERDUTY,
  SENTRY,
} from './developer-provider-rules.scene.js';
import type { Rules } from './provider-answers.scene.js';

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
