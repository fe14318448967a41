import { expect, it } from 'vitest';
import type { Call } from '../pipeline/call.js';
import { MaskedClaims } from './masked-claims.js';

const KEY = 'AKIAQ3EGRVZJXK7PLM2N';
const call = (claimed: Call['claimed']) => ({ method: 'tools/call', claimed }) as Call;

it('leaves a clean claim alone, and a call without one', () => {
  const claims = new MaskedClaims();
  for (const each of [call(null), call({ name: 'Claude Code', version: '2.1.0' })]) {
    expect(claims.masked(each)).toBe(each);
    expect(claims.masked(each)).toBe(each);
  }
});

it('masks a secret in a name or a version, the first time and the next', () => {
  const claims = new MaskedClaims();
  for (const _time of ['first', 'next']) {
    expect(claims.masked(call({ name: `agent ${KEY}`, version: '4111 1111 1111 1111' })).claimed).toEqual({
      name: 'agent [redacted:secret.aws-access-key]',
      version: '[redacted:pii.card]',
    });
  }
});

it('masks a claim that is too long to be remembered', () => {
  const name = `${'x '.repeat(500)}${KEY}`;
  expect(new MaskedClaims().masked(call({ name, version: '' })).claimed?.name).not.toContain(KEY);
});
