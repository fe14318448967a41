import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { digestOf, TokenDigester } from './token-digest.js';
import { issueToken } from './token-text.js';

it('gives the digest of HMAC-SHA-256, whatever the pepper', () => {
  const peppers = ['p'.repeat(32), 'x'.repeat(64), 'y'.repeat(65), 'ü€'.repeat(30), randomBytes(200).toString('hex')];
  for (const pepper of peppers) {
    const digester = new TokenDigester(pepper);
    const tokens = Array.from({ length: 100 }, () => issueToken(randomBytes));
    expect(tokens.map((token) => digester.digestOf(token))).toStrictEqual(
      tokens.map((token) => digestOf(token, pepper)),
    );
  }
});

it('is what it was: the digests of tokens that are out there stay valid', () => {
  const text = 'wdr_' + 'A'.repeat(48);
  const digest = 'LmSDXKRNRzEzg4sCldzgagFoEQ-M7i5z3MLI_vC8lzE';
  expect(digestOf(text, 'p'.repeat(32))).toBe(digest);
  expect(new TokenDigester('p'.repeat(32)).digestOf(text)).toBe(digest);
});
