import { createKeyringStore } from '@warder/secrets';
import { StrictTokenServer } from '@warder/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClientKeys } from './client-keys.js';
import { ConnectionsScene } from '../connections/connections.scene.js';
import { FakeProvider } from '../connections/fake-provider.scene.js';

let scene: ConnectionsScene;
let fake: FakeProvider;
let strict: StrictTokenServer;

beforeAll(async () => {
  scene = await ConnectionsScene.create();
});
afterAll(() => scene.end());
beforeEach(async () => {
  fake = await FakeProvider.start();
  await scene.start(fake);
});
afterEach(async () => {
  await strict?.stop();
  await scene.stop();
  await fake.stop();
});

const jwksUri = (): string => `${scene.running!.url}/connections/jwks.json`;
const jwks = async (): Promise<{ kid: string; alg: string }[]> =>
  ((await (await fetch(jwksUri())).json()) as { keys: { kid: string; alg: string }[] }).keys;

async function setUp(change: object = {}): Promise<{ status: number; body: Record<string, unknown> }> {
  await scene.running?.stop();
  strict = await StrictTokenServer.start({
    clientId: 'warder-client',
    get jwksUri() {
      return jwksUri();
    },
  });
  await scene.startService(fake, { privateHosts: [strict.host] });
  const parameters = { token_endpoint: `${strict.origin}/token`, revocation_endpoint: `${strict.origin}/revoke` };
  const provider = { entry: 'internal-oauth', clientId: 'warder-client', parameters };
  return scene.ask('PUT', '/providers/strict', { ...provider, authentication: 'private_key_jwt', ...change });
}

const connect = () => scene.ask('POST', '/connections', { kind: 'client_credentials', provider: 'strict' });

describe('a client that proves itself with its key', () => {
  it.each(['RS256', 'ES256'])('is taken by a server that reads our keys, by %s', async (algorithm) => {
    expect(await setUp({ assertion: { algorithm } })).toMatchObject({
      status: 200,
      body: { authentication: 'private_key_jwt', hasSecret: false },
    });
    expect(await connect()).toMatchObject({ status: 201, body: { status: 'active' } });
    expect(strict.refusals).toEqual([]);
    const { body } = await scene.ask('GET', '/connections');
    await scene.ask('DELETE', `/connections/${body.connections[0]?.id}`);
    await vi.waitFor(() => expect(strict.revoked).toHaveLength(1));
    expect(strict.refusals).toEqual([]);
  });

  it('leaves no secret behind of a client that had one', async () => {
    const removed = async (): Promise<boolean> => {
      const { secrets } = scene.configFor(fake) as { secrets: { dir: string; keyringFile: string } };
      return !(await createKeyringStore(secrets).list()).some((name) => name.startsWith('provider/strict/'));
    };
    await setUp({ authentication: 'client_secret_post', clientSecret: 'a-secret' });
    expect(await removed()).toBe(false);
    const parameters = { token_endpoint: `${strict.origin}/token`, revocation_endpoint: `${strict.origin}/revoke` };
    const body = { entry: 'internal-oauth', clientId: 'warder-client', parameters };
    const moved = await scene.ask('PUT', '/providers/strict', { ...body, authentication: 'private_key_jwt' });
    expect(moved).toMatchObject({ status: 200, body: { hasSecret: false } });
    expect(await removed()).toBe(true);
  });

  it('is refused where it asserts itself to somebody else, and the alarm is not the person’s', async () => {
    await setUp({ assertion: { audience: 'https://elsewhere.example' } });
    expect(await connect()).toMatchObject({ status: 502, body: { error: { code: 'WDR_PROVIDER_UNUSABLE' } } });
    expect(strict.refusals).toEqual(['aud is another']);
  });

  it.each([
    [{ clientSecret: 'x' }, 'clientSecret'],
    [{ authentication: 'client_secret_basic', assertion: {} }, 'assertion'],
    [{ entry: 'github-oauth-app', parameters: {} }, 'authentication'],
    [{ assertion: { algorithm: 'HS256' } }, 'assertion'],
  ])('is not set up with %j', async (change, named) => {
    const { status, body } = await setUp(change);
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining(named)]);
  });

  it('goes on while keys turn: the next is told of before it signs', async () => {
    await setUp();
    await connect();
    const [before] = await jwks();
    const { status, body } = await scene.ask('POST', '/client-keys/turn', {});
    expect([status, body['keys']]).toEqual([
      200,
      [expect.objectContaining({ signsNow: true }), expect.objectContaining({ signsNow: false })],
    ]);
    expect((await jwks()).map(({ kid }) => kid)).toContain(before?.kid);
    expect(await jwks()).toHaveLength(4);
    await connect();
    expect(strict.refusals).toEqual([]);
    await scene.ask('POST', '/client-keys/turn', { isAtOnce: true });
    expect((await jwks()).map(({ kid }) => kid)).not.toContain(before?.kid);
    await connect();
    expect(strict.refusals).toEqual([]);
    expect(strict.taken).toHaveLength(3);
    await vi.waitFor(() =>
      expect(
        scene.actions().filter((action) => action === 'admin/credentials/client-keys.turn').length,
      ).toBeGreaterThan(1),
    );
  });

  it('is told 409 where another process turned the keys in that moment, and which ones there are after it asked again', async () => {
    const stored = { value: undefined as string | undefined, version: 0 };
    const secrets = {
      read: async () => (stored.value === undefined ? undefined : { value: stored.value, version: stored.version }),
      put: async (_name: string, value: string) => {
        stored.value = value;
        return (stored.version += 1);
      },
    };
    const terms = { aheadMs: 1_000, overlapMs: 1_000, turnEveryMs: 1e9, wallMs: () => 1, secrets };
    const other = new ClientKeys({ ...terms, record: async () => {} });
    const told: (string | undefined)[] = [];
    const keys = new ClientKeys({
      ...terms,
      record: async ({ refusal }) => {
        told.push(refusal?.code);
        if (stored.version === 1) await other.turn({ principal: null, token: null, address: '' }, false);
      },
    });
    const before = await keys.view();
    const turning = keys.turn({ principal: null, token: null, address: '' }, false);
    await expect(turning).rejects.toMatchObject({ status: 409, code: 'WDR_CLIENT_KEYS_CHANGED' });
    expect(told).toEqual([undefined, undefined, 'WDR_CLIENT_KEYS_CHANGED']);
    await keys.turn({ principal: null, token: null, address: '' }, false);
    expect(await keys.publicKeys()).toEqual(await new ClientKeys({ ...terms, record: async () => {} }).publicKeys());
    expect((await keys.view()).keys[0]?.id).toBe(before.keys[0]?.id);
  });

  it('keeps its keys over a restart, sealed, and tells administrators and auditors alone how old they are', async () => {
    await setUp();
    const before = await jwks();
    await scene.running?.stop();
    await scene.startService(fake);
    expect(await jwks()).toEqual(before);
    expect((await scene.ask('GET', '/client-keys', undefined, 'ana')).status).toBe(403);
    expect((await scene.ask('POST', '/client-keys/turn', {}, 'ana')).status).toBe(403);
    const { body } = await scene.ask('GET', '/client-keys');
    expect(JSON.stringify(body)).not.toContain('"d"');
  });
});
