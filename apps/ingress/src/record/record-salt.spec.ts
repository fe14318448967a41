import { expect, it } from 'vitest';
import { newSalt } from './record-salt.js';

it('is 16 random bytes that never come twice, past the end of the pool too', () => {
  const salts = Array.from({ length: 10_000 }, newSalt);
  expect(new Set(salts).size).toBe(10_000);
  for (const salt of salts) expect(salt).toMatch(/^[\w-]{22}$/);
  // Each byte takes many values, so none of them stays at what the pool began with.
  for (let at = 0; at < 16; at += 1) {
    expect(new Set(salts.map((salt) => Buffer.from(salt, 'base64url')[at])).size).toBe(256);
  }
});
