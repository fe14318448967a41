import { describe, expect, it } from 'vitest';
import type { ProviderEntry } from './provider-entry.js';
import { parameterValues, ParameterRefused, renderUrl } from './url-template.js';
import { provider, PROVIDERS } from './providers.scene.js';

describe('the catalogue', () => {
  it('has the providers that were promised', () => {
    expect([...PROVIDERS.keys()]).toEqual([
      'atlassian',
      'datadog',
      'entra',
      'github-app',
      'github-oauth-app',
      'gitlab',
      'google',
      'internal-oauth',
      'linear',
      'notion',
      'pagerduty',
      'salesforce',
      'sentry',
      'slack',
      'snowflake',
    ]);
  });

  it.each([...PROVIDERS.values()])('$id takes the example of each of its parameters', (entry) => {
    const examples = Object.entries(entry.parameters).map(([name, { example }]) => [name, example]);
    expect(() => parameterValues(entry, Object.fromEntries(examples))).not.toThrow();
  });

  it('counts a default and a listed value as its own, and a host that was typed in as an operator’s', () => {
    const url = (id: string, given: Record<string, string>) => {
      const entry = provider(id);
      const { url: to, namedBy } = renderUrl(entry, entry.token.endpoint, parameterValues(entry, given));
      return [to.href, namedBy];
    };
    expect(url('gitlab', {})).toEqual(['https://gitlab.com/oauth/token', 'catalogue']);
    expect(url('gitlab', { host: 'git.corp.example:8443' })).toEqual([
      'https://git.corp.example:8443/oauth/token',
      'operator',
    ]);
    expect(url('datadog', { api_host: 'api.datadoghq.eu' })).toEqual([
      'https://api.datadoghq.eu/oauth2/v1/token',
      'catalogue',
    ]);
    expect(url('snowflake', { account: 'acme-analytics' })).toEqual([
      'https://acme-analytics.snowflakecomputing.com/oauth/token-request',
      'catalogue',
    ]);
  });

  it('takes a pattern for the whole value, wherever its own ends are', () => {
    const { kind, title, isOptional } = provider('gitlab').parameters['host'] ?? {};
    const entry = (pattern: string) =>
      ({ parameters: { host: { kind, title, isOptional, pattern, example: 'x' } } }) as Pick<
        ProviderEntry,
        'parameters'
      >;
    expect(parameterValues(entry('a\\.example|b\\.example'), { host: 'b.example' })).toEqual({ host: 'b.example' });
    expect(() => parameterValues(entry('a\\.example|b\\.example'), { host: 'b.example.evil.example' })).toThrow(
      ParameterRefused,
    );
  });

  it.each([
    ['snowflake', { account: 'evil.example/' }],
    ['snowflake', { account: 'evil.example' }],
    ['snowflake', { account: '' }],
    ['snowflake', {}],
    ['gitlab', { host: 'gitlab.com@evil.example' }],
    ['gitlab', { host: 'gitlab.com/..' }],
    ['gitlab', { host: 'gitlab.com#' }],
    ['gitlab', { host: '-a' }],
    ['gitlab', { host: 'a\n' }],
    ['datadog', { api_host: 'api.datadoghq.com.evil.example' }],
    ['atlassian', { site: 'evil.example' }],
    ['atlassian', { site: 'a.atlassian.net.evil.example' }],
    ['salesforce', { host: 'evil-salesforce.com' }],
    ['google', { tenant: 'x' }],
    ['internal-oauth', { authorization_endpoint: 'https://login.internal.example/a' }],
    ['internal-oauth', { token_endpoint: 'file:///etc/passwd' }],
  ])('refuses for %s the values %j', (id, given) => {
    expect(() => parameterValues(provider(id), given as Record<string, string>)).toThrow(ParameterRefused);
  });
});
