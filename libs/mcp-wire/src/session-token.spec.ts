import { describe, expect, it } from 'vitest';
import { openSession, sealSession } from './session-token.js';

const key = Buffer.alloc(32, 7);
const nonce = Buffer.alloc(12, 9);
const session = {
  sessionId: 's-1',
  node: 'ingress-1',
  principalId: 'p-1',
  protocolVersion: '2025-11-25',
  clientInfo: { name: 'c' },
  capabilities: {},
  issuedAtMs: 1_000,
};
const token = sealSession(session, key, nonce);

describe('legacy session tokens', () => {
  it('open on every node that holds the key', () => {
    expect(openSession(token, Buffer.alloc(32, 7), 2_000, 10_000)).toStrictEqual(session);
    expect(token).toMatch(/^[\x21-\x7e]+$/);
    expect(token).not.toContain('ingress');
  });

  it('are unknown when too old, under another key, or foreign', () => {
    expect(openSession(token, key, 11_001, 10_000)).toBeUndefined();
    expect(openSession(token, Buffer.alloc(32, 8), 2_000, 10_000)).toBeUndefined();
    for (const foreign of ['', 'ws1.', 'ws1.AAAA', 'abc', `ws1.${'A'.repeat(9_000)}`, 'ws1.****']) {
      expect(openSession(foreign, key, 2_000, 10_000)).toBeUndefined();
    }
  });

  it('have one spelling', () => {
    for (const alias of [`${token}=`, `${token}!`, `ws1. ${token.slice(4)}`, `${token}\t`]) {
      expect(openSession(alias, key, 2_000, 10_000)).toBeUndefined();
    }
  });

  it('are unknown when any byte was changed', () => {
    const bytes = Buffer.from(token.slice(4), 'base64url');
    for (let i = 0; i < bytes.length; i += 1) {
      const changed = Buffer.from(bytes);
      changed[i] = changed[i]! ^ 1;
      expect(openSession(`ws1.${changed.toString('base64url')}`, key, 2_000, 10_000)).toBeUndefined();
    }
  });
});
