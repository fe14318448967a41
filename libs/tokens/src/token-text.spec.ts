import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { digestOf } from './token-digest.js';
import { isWellFormed, issueToken, SECRET_PREFIX } from './token-text.js';

const ZEROS = 'wdr_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAZClWt';

describe('a token', () => {
  it('is wdr_ and the base64url of 32 bytes and their CRC-32', () => {
    expect(issueToken((bytes) => new Uint8Array(bytes))).toBe(ZEROS);
  });

  it('is accepted as well formed however its bytes fall', () => {
    for (let round = 0; round < 1_000; round += 1) expect(isWellFormed(issueToken(randomBytes))).toBe(true);
  });

  it('is refused when one character was mistyped, cut or added', () => {
    const token = issueToken(randomBytes);
    for (let at = 4; at < token.length; at += 1) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(isWellFormed(token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
    }
    for (const wrong of ['', 'wdr_', token.slice(0, -1), `${token}A`, ` ${token}`, `${token}\n`, token.slice(4)]) {
      expect(isWellFormed(wrong)).toBe(false);
    }
  });

  it('is told from a secret of a service account, which has its form with wds_', () => {
    const secret = issueToken(randomBytes, SECRET_PREFIX);
    expect([secret.slice(0, 4), secret.length]).toEqual(['wds_', ZEROS.length]);
    expect([isWellFormed(secret, SECRET_PREFIX), isWellFormed(secret)]).toEqual([true, false]);
    expect(isWellFormed(ZEROS, SECRET_PREFIX)).toBe(false);
    expect(isWellFormed(`${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`, SECRET_PREFIX)).toBe(false);
  });

  it('has a digest that only the pepper reproduces', () => {
    const pepper = 'p'.repeat(32);
    expect(digestOf(ZEROS, pepper)).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(digestOf(ZEROS, pepper)).toBe(digestOf(ZEROS, pepper));
    expect(digestOf(ZEROS, 'q'.repeat(32))).not.toBe(digestOf(ZEROS, pepper));
  });
});
