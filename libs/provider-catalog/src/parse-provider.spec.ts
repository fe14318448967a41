import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseProvider } from './parse-provider.js';

const text = readFileSync(new URL('../providers/internal-oauth.yaml', import.meta.url), 'utf8');
const refusal = (changed: string, file = 'internal-oauth.yaml') => {
  expect(changed).not.toBe(text);
  return () => parseProvider(file, changed);
};

describe('a file of the catalogue', () => {
  it('is read with what it leaves unsaid filled in', () => {
    const entry = parseProvider('internal-oauth.yaml', text);
    expect(entry.token.endpoint).toBe('{token_endpoint}');
    expect(entry.answer.accessToken).toBe('/access_token');
    expect(entry.scopes).toEqual({ parameter: 'scope', separator: ' ', required: [], default: [] });
  });

  it('is refused under another name than its id', () => {
    expect(() => parseProvider('other.yaml', text)).toThrow('other.yaml: its id is internal-oauth');
  });

  it.each([
    ['a key that the schema does not know', (of: string) => `${of}\nsecret: x\n`, /secret/],
    ['a key said twice', (of: string) => `${of}\ntitle: Again\n`, /unique/i],
    [
      'a URL with a parameter that is not declared',
      (of: string) => of.replace('{token_endpoint}', '{host}'),
      /names \{host\}/,
    ],
    [
      'an endpoint without TLS',
      (of: string) => of.replace("'{token_endpoint}'", 'http://a.example/token'),
      /token\.endpoint/,
    ],
    [
      'two headers with the token',
      (of: string) =>
        of.replace("{ authorization: 'Bearer {access_token}' }", "{ a: '{access_token}', b: '{access_token}' }"),
      /one only/,
    ],
    [
      'a pattern that is none',
      (of: string) => of.replace('kind: url\n', "kind: url\n    pattern: '(example'\n"),
      /no regular expression/,
    ],
    [
      'a token endpoint that may be left out',
      (of: string) => of.replace('title: Token endpoint', 'title: Token endpoint\n    isOptional: true'),
      /never optional/,
    ],
    ['no source', (of: string) => of.replace(/sources:[^]*/, 'sources: []\n'), /sources/],
    ['an alias', (of: string) => of.replace('title: Internal', 'title: &a Internal').concat('hook: *a\n'), /alias/i],
  ])('is refused for %s', (_what, change, message) => {
    expect(refusal(change(text))).toThrow(message);
  });
});
