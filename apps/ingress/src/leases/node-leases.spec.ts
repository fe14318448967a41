import { type AccountConnectionState, upstreamAuthStateTopic } from '@warder/contracts';
import { beforeEach, expect, it } from 'vitest';
import { HeldLeases } from './held-leases.js';
import type { LeaseAsked, LeaseCame } from './lease-transport.js';
import { NodeLeases } from './node-leases.js';

const signal = new AbortController().signal;
const account = (change: Partial<AccountConnectionState> = {}): AccountConnectionState => ({
  version: 1,
  status: 'active',
  id: 'con_of_ana',
  kind: 'oauth_user',
  provider: 'github',
  principalId: 'usr_ana',
  accountId: 'ana',
  generation: 1,
  expiresAtMs: null,
  scopes: [],
  ...change,
});
const auth = upstreamAuthStateTopic.example;

let asked: LeaseAsked[];
let leases: NodeLeases;
let come: (came: LeaseCame) => void;
/** What credentials would seal, by connection. */
let generations: Map<string, number>;

beforeEach(() => {
  asked = [];
  generations = new Map([
    ['con_of_ana', 1],
    ['con_of_all', 1],
  ]);
  const channel = {
    ask: async (wanted: LeaseAsked) => {
      asked.push(wanted);
      const generation = generations.get(wanted.connectionId) ?? 1;
      const nowMs = Date.now();
      const values = { authorization: `Bearer ${wanted.connectionId}/${generation}` };
      const terms = { version: generation, generation, issuedAtMs: nowMs, expiresAtMs: nowMs + 60_000 };
      const { requestId, connectionId, principalId, upstream } = wanted;
      const lease = { credential: { kind: 'headers' as const, values }, upstream, ...terms };
      come({ requestId, connectionId, principalId, lease, refusal: null });
    },
    onCame: (listener: (came: LeaseCame) => void) => void (come = listener),
  };
  const held = new HeldLeases(channel, { heldMax: 100, idleMs: 60_000, coldWaitMs: 1_000 }, () => Date.now());
  channel.onCame((came) => held.take(came));
  const connectUrl = (upstream: string): string => `https://warder.example/connections/connect/${upstream}`;
  leases = new NodeLeases({ own: new Map(), held, connectUrl });
});

const bearerOf = async (principalId: string): Promise<unknown> => {
  const lease = await leases.credentialFor('issues', principalId, signal);
  if (lease.kind !== 'credential' || lease.credential.kind !== 'headers') return lease;
  return lease.credential.values['authorization'];
};

it('calls with the caller’s own account, and tells who has none where to connect one', async () => {
  leases.applyAuth(auth);
  leases.apply(account());
  expect(await bearerOf('usr_ana')).toBe('Bearer con_of_ana/1');
  expect(await bearerOf('usr_ana')).toBe('Bearer con_of_ana/1');
  expect(asked).toMatchObject([{ connectionId: 'con_of_ana', upstream: 'issues', principalId: 'usr_ana' }]);
  expect(await bearerOf('usr_ben')).toEqual({
    kind: 'missing',
    detail: 'nothing is connected',
    connectAt: 'https://warder.example/connections/connect/issues',
  });
});

it('calls with what is shared for everybody, and with nothing where nothing is said', async () => {
  expect(await bearerOf('usr_ben')).toEqual({ kind: 'none' });
  leases.apply(account({ id: 'con_of_all', kind: 'oauth_shared', principalId: null }));
  leases.applyAuth({ ...auth, kind: 'oauth_shared' });
  expect(await bearerOf('usr_ben')).toBe('Bearer con_of_all/1');
  leases.applyAuth({ ...auth, version: 2, kind: 'none', provider: null });
  expect(await bearerOf('usr_ben')).toEqual({ kind: 'none' });
});

it('calls with the token of now after a refresh, and with none once the connection has ended', async () => {
  leases.applyAuth(auth);
  leases.apply(account());
  await bearerOf('usr_ana');
  generations.set('con_of_ana', 2);
  leases.apply(account({ version: 2, generation: 2 }));
  expect(await bearerOf('usr_ana')).toBe('Bearer con_of_ana/2');
  leases.apply(account({ version: 3, generation: 2, status: 'reconnect_required' }));
  expect(await bearerOf('usr_ana')).toMatchObject({ detail: 'connection con_of_ana is reconnect_required' });
  leases.apply(account({ version: 2, generation: 2 }));
  expect(await bearerOf('usr_ana')).toMatchObject({ kind: 'missing' });
});

it('gives a child no token of an account, which would outlive its lease', () => {
  leases.applyAuth(auth);
  leases.apply(account());
  expect(leases.environmentFor('issues', signal)).toMatchObject({ kind: 'missing' });
});

it('lists with the account of whoever came first and has one, until that ends', async () => {
  leases.applyAuth(auth);
  const told: string[] = [];
  leases.onChanged((upstream) => told.push(upstream));
  expect(await bearerOf('')).toMatchObject({ kind: 'missing' });
  leases.prefetch('issues', 'usr_ben');
  expect(await bearerOf('')).toMatchObject({ kind: 'missing' });
  leases.apply(account());
  expect(told).toEqual([]);
  leases.prefetch('issues', 'usr_ana');
  expect(told).toEqual(['issues']);
  expect(await bearerOf('')).toBe('Bearer con_of_ana/1');
  // Nobody else comes to an account by that.
  expect(await bearerOf('usr_ben')).toMatchObject({ kind: 'missing' });
  leases.apply(account({ version: 2, status: 'disconnected' }));
  expect(await bearerOf('')).toMatchObject({ kind: 'missing' });
});

it('holds nothing of somebody who may not call any more, nor for an upstream that takes another kind now', async () => {
  leases.applyAuth(auth);
  leases.apply(account());
  const ended: string[] = [];
  leases.onEnded((upstream, credential) => ended.push(`${upstream} ${JSON.stringify(credential)}`));
  const told = 'issues {"kind":"headers","values":{"authorization":"Bearer con_of_ana/1"}}';
  await bearerOf('usr_ana');
  leases.endPrincipal('usr_ben');
  expect(ended).toEqual([]);
  leases.endPrincipal('usr_ana');
  expect(ended).toEqual([told]);
  await bearerOf('usr_ana');
  leases.applyAuth({ ...auth, version: 2, kind: 'none', provider: null });
  expect(ended).toEqual([told, told]);
});
