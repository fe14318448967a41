import type { TokenScopes } from '@warder/contracts';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answered, eventually, IngressScene, oneRecord } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

let upstream: FixtureUpstream;
let scene: IngressScene;
let whole: string;

const BURST = 200;
const VERSIONS = { modern: '2026-07-28', legacy: '2025-11-25' } as const;

beforeAll(async () => {
  upstream = await startFixtureUpstream();
  const tools = [{ upstream: 'fixture', tool: '*', prefix: '' }];
  const transport = { kind: 'streamable-http' as const, url: upstream.url };
  scene = await new IngressScene().start(
    {
      upstreams: { fixture: { transport, allowPrivateAddress: true } },
      virtualServers: { dev: { tools }, lab: { tools } },
      grants: [{ name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['fixture/*'] }],
      limit: { callsPerMinute: 6, burst: BURST },
    },
    { limits: { strangerBodyBytesMax: 4_096, refusalWindowMs: 200 } },
  );
  whole = await scene.token('ana');
  await scene.untilListed(new WireClient(scene, 'modern', whole), 'echo');
});

afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
});

/** All that a client sees of an answer but the time of day. */
const seen = ({ status, headers, text }: Answered) => ({ status, headers: { ...headers, date: '' }, text });
const namesIn = (answer: Answered) => messageOf(answer).result?.tools?.map(({ name }) => name) ?? [];
const clientFor = async (era: 'modern' | 'legacy', scopes: Partial<TokenScopes>, server = 'dev') =>
  new WireClient(scene, era, await scene.token('ana', scopes), server).open();

describe.each(['modern', 'legacy'] as const)('a token of a %s client', (era) => {
  it('that is read-only is listed and may call what says that it only reads, and nothing else', async () => {
    const client = await clientFor(era, { readOnly: true });
    expect(namesIn(await client.ask('tools/list'))).toEqual(['echo']);
    expect((await client.call('echo', { text: 'read' })).text).toContain('"text":"read"');
    for (const name of ['add', 'echo-arguments']) {
      const [outside, unknown] = [await client.call(name), await client.call('no-such-tool')];
      const renamed = unknown.text.replace('no-such-tool', name).replace(/"id":\d+/, '');
      expect([outside.status, outside.text.replace(/"id":\d+/, '')]).toEqual([unknown.status, renamed]);
    }
    const fits = (name: string) =>
      oneRecord(scene, (each) => each.exposedName === name && each.protocolVersion === VERSIONS[era]);
    for (const name of ['add', 'echo-arguments']) {
      expect(await fits(name)).toMatchObject({
        rule: 'token scope: read-only',
        refusal: { code: 'WDR_TOOL_UNKNOWN' },
        personal: { refusalDetail: 'token scope: read-only' },
      });
    }
  });

  it('that names virtual servers is told of another what everybody is told of one that is not there', async () => {
    const scoped = await scene.token('ana', { virtualServers: ['lab'] });
    expect((await (await new WireClient(scene, era, scoped, 'lab').open()).call('echo', {})).status).toBe(200);
    const there = new WireClient(scene, era, scoped, 'dev');
    const nowhere = new WireClient(scene, era, scoped, 'nowhere');
    for (const headers of [{}, { accept: 'text/event-stream' }] as Record<string, string>[]) {
      for (const [method, params] of MESSAGES) {
        const send = (client: WireClient, path: string) =>
          scene.send(path, {
            headers: { ...client.headersOf(method, params['name']), ...headers },
            body: client.messageOf(method, params),
          });
        const answer = await send(there, '/mcp/dev');
        expect(seen(answer)).toEqual(seen(await send(nowhere, '/mcp/nowhere')));
        expect([answer.status, messageOf(answer).error?.data]).toEqual([404, { code: 'WDR_VIRTUAL_SERVER_UNKNOWN' }]);
      }
    }
    const refused = await eventually(() =>
      scene.records.find((each) => each.virtualServer === 'dev' && each.rule === 'token scope: virtual server'),
    );
    expect(refused).toMatchObject({
      principal: { id: 'ana' },
      refusal: { code: 'WDR_VIRTUAL_SERVER_UNKNOWN' },
      personal: { refusalDetail: 'token scope: virtual server' },
    });
  });
});

const MESSAGES: readonly [string, Record<string, unknown>][] = [
  ['tools/call', { name: 'echo', arguments: { text: 'hi' } }],
  ['tools/call', { name: 'echo', arguments: {}, _meta: { progressToken: 'p' } }],
  ['tools/list', {}],
  ['initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } }],
  ['ping', {}],
  ['no/such/method', {}],
];

describe('outside the virtual servers of a token', () => {
  it('a body that is no message, and the end of a session, are answered as where no server is', async () => {
    const scoped = await scene.token('ana', { virtualServers: [] });
    const headers = new WireClient(scene, 'legacy', scoped).headersOf('ping');
    for (const options of [
      { headers, body: '{' },
      { headers: { ...headers, 'mcp-session-id': 'x' }, method: 'DELETE' },
    ]) {
      const answer = await scene.send('/mcp/dev', options);
      expect(seen(answer)).toEqual(seen(await scene.send('/mcp/nowhere', options)));
      expect(answer.status).toBe(404);
    }
  });

  it('a request costs the quota that one to no server costs', async () => {
    await scene.publishPrincipal('cy', ['developers']);
    await scene.publishPrincipal('di', ['developers']);
    const served = async (principal: string, path: string) => {
      const token = await scene.token(principal, { virtualServers: ['lab'] });
      const client = new WireClient(scene, 'modern', token);
      const options = { headers: client.headersOf('tools/list'), body: client.messageOf('tools/list') };
      const statuses: number[] = [];
      for (let sent = 0; sent <= BURST; sent += 50) {
        const some = await Promise.all(Array.from({ length: 50 }, () => scene.send(path, options)));
        statuses.push(...some.map(({ status }) => status));
      }
      return statuses.filter((status) => status === 404).length;
    };
    const [there, nowhere] = [await served('cy', '/mcp/dev'), await served('di', '/mcp/nowhere')];
    expect(there).toBeGreaterThanOrEqual(BURST);
    // A bucket fills by one each ten seconds while it is emptied.
    expect(Math.abs(there - nowhere)).toBeLessThan(BURST / 10);
  });
});

describe('a token that is bound to addresses', () => {
  it('is served from these, and from others is answered as one that does not exist, whatever the body', async () => {
    const near = await scene.token('ana', { addresses: ['127.0.0.0/8', '::1'] });
    const far = await scene.token('ana', { addresses: ['10.0.0.0/8', '2001:db8::/32'] });
    expect((await new WireClient(scene, 'modern', near).call('echo', { text: 'near' })).status).toBe(200);
    for (const text of ['hi', 'x'.repeat(5_000)]) {
      for (const [method, params] of [...MESSAGES, ['tools/call', { name: 'echo', arguments: { text } }] as const]) {
        const as = (token: string) => {
          const client = new WireClient(scene, 'modern', token);
          const headers = client.headersOf(method, params['name']);
          return scene.send('/mcp/dev', { headers, body: client.messageOf(method, params, 7) });
        };
        const answer = await as(far);
        expect(seen(answer)).toEqual(seen(await as('wdr_' + 'A'.repeat(48))));
        expect(answer.status).toBe(401);
      }
    }
    expect(upstream.executed().filter(({ tool }) => tool === 'echo').length).toBeGreaterThan(0);
  });

  it('leaves a record of the attempt that names its owner, and costs the owner no quota', async () => {
    await scene.publishPrincipal('eve', ['developers']);
    const far = await scene.token('eve', { addresses: ['10.0.0.0/8'] });
    const client = new WireClient(scene, 'modern', far);
    const options = { headers: client.headersOf('tools/list'), body: client.messageOf('tools/list') };
    for (let sent = 0; sent < BURST + 100; sent += 100)
      await Promise.all(Array.from({ length: 100 }, () => scene.send('/mcp/dev', options)));
    const record = await eventually(() => scene.records.find(({ principal }) => principal?.id === 'eve'));
    expect(record).toMatchObject({
      kind: 'authentication',
      agent: { kind: 'pat' },
      decision: 'forbid',
      refusal: { code: 'WDR_TOKEN_UNKNOWN' },
      personal: { principal: { name: 'eve name' }, address: '127.0.0.1', refusalDetail: 'address-outside' },
    });
    const own = new WireClient(scene, 'modern', await scene.token('eve'));
    expect((await own.ask('tools/list')).status).toBe(200);
  });
});
