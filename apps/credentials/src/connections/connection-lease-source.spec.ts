import { join } from 'node:path';
import type { Outbox } from '@warder/postgres';
import { createKeyringStore } from '@warder/secrets';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { Connection } from './connection.entity.js';
import { ConnectionLeaseSource } from './connection-lease-source.js';
import { ConnectionStates } from './connection-states.store.js';
import { ConnectionTokens } from './connection-tokens.js';
import { ConnectionsScene } from './connections.scene.js';
import { ConnectionsStore } from './connections.store.js';
import { FakeProvider } from './fake-provider.scene.js';
import { Provider } from './provider.entity.js';
import { readProviderEntries } from './provider-entries.js';
import { ProviderSetups } from './provider-setups.js';
import { Refresher } from './refresher.js';
import { SealedTokens } from './sealed-tokens.js';
import { UpstreamAuth } from './upstream-auth.entity.js';
import { UpstreamAuthsStore } from './upstream-auths.store.js';

let scene: ConnectionsScene;
let fake: FakeProvider;
let source: DataSource;
let leases: ConnectionLeaseSource;
let status: 'active' | 'suspended';
let mayServe: boolean;
const failures: unknown[] = [];
/** Refreshes that were asked for. */
let wanted: unknown[];

beforeAll(async () => {
  scene = await ConnectionsScene.create();
});
afterAll(() => scene.end());
beforeEach(async () => {
  fake = await FakeProvider.start();
  await scene.start(fake);
  await scene.setUp(fake);
  status = 'active';
  mayServe = true;
  source = await new DataSource({
    type: 'postgres',
    url: scene.database.url,
    schema: 'credentials',
    entities: [Connection, Provider, UpstreamAuth],
    extra: { options: '-c search_path=credentials' },
  }).initialize();
  const secrets = createKeyringStore({ dir: join(scene.root, 'secrets'), keyringFile: join(scene.root, 'keyring') });
  // Nothing is written here: the service that runs beside it does that.
  const states = new ConnectionStates(source, {} as Outbox, scene.clock.wallMs);
  const sealed = new SealedTokens(secrets);
  const setups = new ProviderSetups(
    readProviderEntries(),
    secrets,
    { signer: () => Promise.reject(new Error('no key is needed')) },
    scene.clock.wallMs,
  );
  wanted = [];
  const refresher = {
    refresh: async (id: string, asked: unknown) => {
      wanted.push([id, asked]);
      return 'busy';
    },
  } as unknown as Refresher;
  leases = new ConnectionLeaseSource({
    connections: new ConnectionsStore(states, sealed),
    auths: new UpstreamAuthsStore(source, {} as Outbox, { transportOf: () => 'unknown' }, scene.clock.wallMs),
    discovered: { mayServe: async () => mayServe },
    tokens: new ConnectionTokens({ states, tokens: sealed, setups, refresher }),
    directory: { principalById: (id) => ({ id, status }) as never },
    failed: (_id, error) => failures.push(error),
  });
});
afterEach(async () => {
  await source.destroy();
  await scene.stop();
  await fake.stop();
});

it('gives the account’s token to its person’s calls of an upstream that takes it, and to no other', async () => {
  const connectionId = await scene.connect('ana');
  const asked = { connectionId, upstream: 'tickets', principalId: 'usr_ana', refusedGeneration: null };
  const { access } = fake.grants[0]!;
  expect(await leases.leaseOf(asked)).toMatchObject({
    credential: { kind: 'headers', values: { authorization: `Bearer ${access}` } },
    version: 1,
    generation: 1,
  });
  for (const other of [
    { principalId: 'usr_ben' },
    { principalId: '' },
    { upstream: 'wiki' },
    { connectionId: 'con_x' },
  ])
    expect(await leases.leaseOf({ ...asked, ...other })).toBe('connection-unknown');
  status = 'suspended';
  expect(await leases.leaseOf(asked)).toBe('connection-revoked');
  status = 'active';
  // Of a provider that was discovered: the policy has the upstream elsewhere by now.
  mayServe = false;
  expect(await leases.leaseOf(asked)).toBe('connection-unknown');
  expect(failures).toEqual([]);
});

it('says whether it was ended or has to be connected again, and gives no token that was moved to another row', async () => {
  const connectionId = await scene.connect('ana');
  const other = await scene.connect('ben');
  const asked = { connectionId, upstream: 'tickets', principalId: 'usr_ana', refusedGeneration: null };
  await scene.source.query(
    'UPDATE credentials.connection SET access_token = (SELECT access_token FROM credentials.connection WHERE id = $2) WHERE id = $1',
    [connectionId, other],
  );
  expect(await leases.leaseOf(asked)).toBe('store-unavailable');
  expect(String(failures.pop())).not.toContain('canary');
  fake.grants = [];
  await scene.makeDue(connectionId);
  await vi.waitFor(async () => expect(await leases.leaseOf(asked)).toBe('reconnect-required'), 10_000);
  await scene.ask('DELETE', `/connections/${connectionId}`);
  expect(await leases.leaseOf(asked)).toBe('connection-revoked');
});

it('has another token fetched where a call was refused with the one there is, unless that one is new', async () => {
  const connectionId = await scene.connect('ana');
  const asked = { connectionId, upstream: 'tickets', principalId: 'usr_ana', refusedGeneration: 1 };
  expect(await leases.leaseOf(asked)).toMatchObject({ generation: 1 });
  expect(wanted).toEqual([]);
  scene.aheadMs = 61_000;
  for (const refusedGeneration of [0, 2, null]) await leases.leaseOf({ ...asked, refusedGeneration });
  expect(wanted).toEqual([]);
  await leases.leaseOf(asked);
  expect(wanted).toEqual([[connectionId, { generation: 1 }]]);
});

it('waits for a refresh that another process has under way, however new the refused token is', async () => {
  const connectionId = await scene.connect('ana');
  const asked = { connectionId, upstream: 'tickets', principalId: 'usr_ana', refusedGeneration: 1 };
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const acted = new Promise<void>((resolve) => {
    fake.late = () => {
      resolve();
      return released;
    };
  });
  await scene.makeDue(connectionId);
  // The provider has ended the old token, and its answer is on the way.
  await acted;
  const leased = leases.leaseOf(asked);
  setTimeout(release, 300);
  const { access } = fake.grants[0]!;
  expect(await leased).toMatchObject({ generation: 2, credential: { values: { authorization: `Bearer ${access}` } } });
  expect(wanted).toEqual([]);
});
