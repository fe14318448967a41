import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionsScene } from './connections.scene.js';
import { FakeProvider } from './fake-provider.scene.js';

let scene: ConnectionsScene;
let fake: FakeProvider;

beforeAll(async () => {
  scene = await ConnectionsScene.create();
});
afterAll(() => scene.end());
beforeEach(async () => {
  fake = await FakeProvider.start();
  await scene.start(fake);
  await scene.setUp(fake);
});
afterEach(async () => {
  await scene.stop();
  await fake.stop();
});

describe('somebody who is suspended', () => {
  it('keeps their tokens, of which none is leased or refreshed, and goes on with them when they are back', async () => {
    const [id, other] = [await scene.connect('ana'), await scene.connect('ben')];
    const shown = async () => (await scene.ask('GET', `/connections/${id}`)).body;
    await scene.tellPrincipal('ana', { status: 'suspended' });
    await vi.waitFor(async () => expect(await shown()).toMatchObject({ status: 'active', isResting: true }));
    for (const each of [id, other]) await scene.makeDue(each);
    // Ben's is due at the same look, and Ana's would have come first.
    await vi.waitFor(() => expect(scene.states.get(other)).toMatchObject({ generation: 2 }));
    expect(await shown()).toMatchObject({ generation: 1, isResting: true });
    expect((await scene.row(id))['refresh_token']).toBeTruthy();
    expect(fake.grants.every(({ isRevoked }) => !isRevoked)).toBe(true);
    await scene.tellPrincipal('ana');
    await vi.waitFor(async () => expect(await shown()).toMatchObject({ generation: 2, isResting: false }), 10_000);
    expect(scene.actions()).toEqual(
      expect.arrayContaining(['admin/credentials/connection.rest', 'admin/credentials/connection.resume']),
    );
  }, 20_000);
});

describe('what is said of an upstream', () => {
  it('is refused where a program on stdio would need a header, and says what the policy knows of the upstream', async () => {
    const document = PolicyDocument.parse({
      upstreams: {
        files: { transport: { kind: 'stdio', entry: 'files' } },
        tickets: { transport: { kind: 'streamable-http', url: 'https://tickets.example/mcp' } },
      },
      virtualServers: {},
    });
    const snapshot = { version: 2, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
    await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
    const put = (upstream: string, body: object) => scene.ask('PUT', `/upstreams/${upstream}`, body);
    const accounts = { kind: 'oauth_user', provider: 'fake' };
    await vi.waitFor(async () =>
      expect(await put('files', accounts)).toMatchObject({
        status: 409,
        body: { error: { code: 'WDR_UPSTREAM_TRANSPORT' } },
      }),
    );
    expect((await put('files', { kind: 'static' })).body).toMatchObject({ transport: 'stdio' });
    expect((await put('audit', accounts)).body).toMatchObject({ error: { code: 'WDR_UPSTREAM_BUILT_IN' } });
    expect((await put('nobody-yet', accounts)).body).toMatchObject({ kind: 'oauth_user', transport: 'unknown' });
    const { upstreams } = (await scene.ask('GET', '/upstreams')).body as { upstreams?: { upstream: string }[] };
    expect(upstreams).toContainEqual(expect.objectContaining({ upstream: 'tickets', transport: 'streamable-http' }));
  });
});
