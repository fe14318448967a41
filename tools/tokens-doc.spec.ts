import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { issueToken, isWellFormed, SECRET_PREFIX } from '@warder/tokens';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const page = readFileSync(new URL('../docs/tokens.md', import.meta.url), 'utf8');

/** The last block of a language on the page: what it publishes stands at its end. */
function blockOf(language: string): string {
  const found = [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].at(-1)?.[1];
  if (found === undefined) throw new Error(`no block of ${language}`);
  return found;
}

const gitleaks = blockOf('toml');
const PATTERNS: Readonly<Record<string, string>> = {
  'the pattern': blockOf('regex').trim(),
  'the rule of gitleaks': /^regex = '''(.*)'''$/m.exec(gitleaks)?.[1] ?? '',
  'the rule of trufflehog': (parse(blockOf('yaml')) as { detectors: { regex: { token: string } }[] }).detectors[0]!
    .regex.token,
};
/** Tokens and secrets of service accounts by turns. */
const tokens = Array.from({ length: 2_000 }, (_none, at) =>
  at % 2 === 0 ? issueToken(randomBytes) : issueToken(randomBytes, SECRET_PREFIX),
);
const isIssued = (text: string) => isWellFormed(text) || isWellFormed(text, SECRET_PREFIX);
/** What stands around a token in files; the Base64 of a token may begin and end with what no word does. */
const AROUND = ['*', '"*"', "token='*';", 'Authorization: Bearer *\n', '{"t":"*"}', 'a,*,b', 'x=*&y', '(*)', '*.'];

describe.each(Object.entries(PATTERNS))('%s', (_what, pattern) => {
  it('finds each token that is issued, whatever stands around it', () => {
    const regex = new RegExp(pattern, 'm');
    for (const [at, token] of tokens.entries()) {
      const text = AROUND[at % AROUND.length]!.replace('*', token);
      expect(regex.exec(text)?.[1]).toBe(token);
    }
  });

  it('finds nothing that is longer, shorter or begins otherwise', () => {
    const regex = new RegExp(pattern, 'm');
    const [token = ''] = tokens;
    for (const text of [`${token}x`, `${token}-`, token.slice(0, -1), `x${token}`, token.replace('wdr', 'wdx'), 'wdr_'])
      expect(regex.test(text)).toBe(false);
  });

  it('says nothing that the engine of both scanners does not know', () => {
    // RE2 has neither look-arounds nor back-references.
    expect(pattern).not.toMatch(/\(\?[=!<]|\\[1-9]/);
  });
});

describe('the checksum', () => {
  it('is what the page computes: right in each token that is issued, and in no other', async () => {
    const source = `data:text/javascript;base64,${Buffer.from(blockOf('js')).toString('base64')}`;
    const { isWarderToken } = (await import(/* @vite-ignore */ source)) as { isWarderToken: (text: string) => boolean };
    for (const token of tokens) expect([isWarderToken(token), isIssued(token)]).toEqual([true, true]);
    for (const token of tokens) {
      const other = token.slice(0, 20) + (token[20] === 'A' ? 'B' : 'A') + token.slice(21);
      expect([isWarderToken(other), isIssued(other)]).toEqual([false, false]);
    }
  });
});

it('has keywords and entropy that no token misses', () => {
  const entropyMin = Number(/^entropy = ([\d.]+)$/m.exec(gitleaks)?.[1]);
  expect(entropyMin).toBeGreaterThan(0);
  for (const token of tokens) expect(entropyOf(token)).toBeGreaterThan(entropyMin);
  const { detectors } = parse(blockOf('yaml')) as { detectors: { keywords: string[] }[] };
  const ofGitleaks = JSON.parse(/^keywords = (.*)$/m.exec(gitleaks)?.[1] ?? '[]') as string[];
  for (const keywords of [ofGitleaks, detectors[0]!.keywords])
    for (const token of tokens) expect(keywords.some((keyword) => token.includes(keyword))).toBe(true);
});

/** Bits per character, as Shannon counts them and gitleaks does. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((bits, count) => bits - (count / text.length) * Math.log2(count / text.length), 0);
}
