import type { StaticConnectionState } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import { createStaticLeases } from './static-leases.js';
import { decodeStaticSecret, encodeStaticSecret } from './static-secret.js';

const state = (version: number, changes: Partial<StaticConnectionState> = {}): StaticConnectionState => ({
  version,
  status: 'active',
  id: 'static/files',
  upstream: 'files',
  kind: 'header',
  name: 'authorization',
  ...changes,
});
const header = (version: number, value: string) =>
  encodeStaticSecret({ version, kind: 'header', name: 'authorization', value });
const never = new AbortController().signal;

function start() {
  const secrets = new Map<string, string>();
  const unreadable: string[] = [];
  const leases = createStaticLeases({
    store: { get: async (name) => secrets.get(name) },
    onUnreadable: (id, error) => unreadable.push(`${id}: ${String(error)}`),
  });
  return { secrets, unreadable, leases };
}

describe('static leases', () => {
  it('answer from memory, without a promise, once a state was applied', async () => {
    const { secrets, leases } = start();
    secrets.set('static/files', header(1, 'Bearer one'));
    await leases.apply(state(1));
    secrets.clear();
    expect(leases.headersFor('files', 'usr_ana', never)).toEqual({
      kind: 'headers',
      headers: { authorization: 'Bearer one' },
    });
    expect(leases.environmentFor('files', never)).toEqual({ kind: 'none' });
  });

  it('give an upstream that never had a credential none', () => {
    expect(start().leases.headersFor('files', 'usr_ana', never)).toEqual({ kind: 'none' });
  });

  it('refuse a revoked credential at once, an older state not bringing it back', async () => {
    const { secrets, leases } = start();
    secrets.set('static/files', header(1, 'Bearer one'));
    await leases.apply(state(1));
    void leases.apply(state(2, { status: 'revoked' }));
    expect(leases.headersFor('files', 'usr_ana', never)).toMatchObject({ kind: 'missing' });
    await leases.apply(state(1));
    expect(leases.headersFor('files', 'usr_ana', never)).toMatchObject({ kind: 'missing' });
  });

  it('let a revocation outrank a read that is under way', async () => {
    let answer: (text: string) => void = () => undefined;
    const leases = createStaticLeases({ store: { get: () => new Promise((resolve) => (answer = resolve)) } });
    const applied = leases.apply(state(1));
    const asked = leases.headersFor('files', 'usr_ana', never);
    await leases.apply(state(2, { status: 'revoked' }));
    answer(header(1, 'Bearer one'));
    await applied;
    expect(await asked).toMatchObject({ kind: 'missing' });
  });

  it('refuse a secret older than its state, then follow when the new one arrives', async () => {
    const { secrets, unreadable, leases } = start();
    secrets.set('static/files', header(1, 'Bearer leaked'));
    await leases.apply(state(2));
    expect(await leases.headersFor('files', 'usr_ana', never)).toMatchObject({ kind: 'missing' });
    secrets.set('static/files', header(2, 'Bearer two'));
    expect(await leases.headersFor('files', 'usr_ana', never)).toMatchObject({
      headers: { authorization: 'Bearer two' },
    });
    expect(unreadable.join()).not.toContain('leaked');
  });

  it('give a stdio upstream its environment, and tell who must be started anew', async () => {
    const { secrets, leases } = start();
    const changed: string[] = [];
    leases.onChanged((upstream) => changed.push(upstream));
    secrets.set('static/files', encodeStaticSecret({ version: 1, kind: 'environment', name: 'API_KEY', value: 'k' }));
    await leases.apply(state(1, { kind: 'environment', name: 'API_KEY' }));
    expect(leases.environmentFor('files', never)).toEqual({ kind: 'environment', environment: { API_KEY: 'k' } });
    expect(leases.headersFor('files', 'usr_ana', never)).toEqual({ kind: 'none' });
    await leases.apply(state(2, { status: 'revoked' }));
    expect(changed).toEqual(['files', 'files']);
  });

  it('stop waiting when the call is cancelled', async () => {
    const leases = createStaticLeases({ store: { get: () => new Promise(() => undefined) } });
    void leases.apply(state(1));
    const cancel = new AbortController();
    const asked = leases.headersFor('files', 'usr_ana', cancel.signal);
    cancel.abort(new Error('client closed'));
    await expect(asked).rejects.toThrow('client closed');
  });

  it('never repeat a broken secret in an error', () => {
    for (const text of ['sk-canary', '{"value":"sk-canary"}', '"sk-canary"', 'null'])
      expect(() => decodeStaticSecret(text)).toThrow(/^not a static secret$/);
  });
});
