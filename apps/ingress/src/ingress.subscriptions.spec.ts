import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, IngressScene, oneRecord } from './ingress.scene.js';
import { StreamClient } from './stream-client.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

let upstream: FixtureUpstream;
let scene: IngressScene;
const open: StreamClient[] = [];

const grant = (name: string, group: string, tools: string[]) => ({
  name,
  effect: 'permit' as const,
  to: { group },
  tools,
});
const policyOf = (...more: ReturnType<typeof grant>[]) => ({
  upstreams: {
    fixture: {
      transport: { kind: 'streamable-http' as const, url: upstream.url },
      allowPrivateAddress: true,
      definitions: 'trust' as const,
    },
  },
  virtualServers: { dev: { tools: [{ upstream: 'fixture', tool: '*', prefix: '' }] } },
  grants: [grant('developers', 'developers', ['fixture/*']), grant('readers', 'readers', ['fixture/echo']), ...more],
});

beforeAll(async () => {
  upstream = await startFixtureUpstream();
  const limits = { keepAliveMs: 50, changesEveryMs: 100, subscriptionsMax: 6, subscriptionsPerPrincipalMax: 3 };
  scene = await new IngressScene().start(policyOf(), { limits });
  await scene.untilListed(new WireClient(scene, 'modern', await scene.token('ana')), 'echo');
});
afterEach(async () => {
  for (const each of open.splice(0)) each.close();
  // A place is given back once the end is on record, which a test that fills them all has to wait for.
  await eventually(() => {
    const count = (stream: string) => scene.records.filter(({ method }) => method === `subscriptions/${stream}`).length;
    const refused = scene.records.filter((each) => each.method === 'subscriptions/listen' && each.refusal !== null);
    return count('listen') - refused.length === count('ended');
  });
});
afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
});

async function listen(client: WireClient, more: Record<string, string> = {}): Promise<StreamClient> {
  const stream = await StreamClient.open(scene, client, more);
  open.push(stream);
  return stream;
}
const clientOf = async (era: 'modern' | 'legacy', principalId: string, scopes?: object) =>
  new WireClient(scene, era, await scene.token(principalId, scopes)).open();
/** Long enough for every look that is due. */
const looked = () => new Promise((resolve) => setTimeout(resolve, 400));

const versionOf = { modern: '2026-07-28', legacy: '2025-11-25' };

describe.each(['modern', 'legacy'] as const)('a stream of changes of a %s client', (era) => {
  it('is offered, opens on record, is kept alive, and ends on record when its client closes it', async () => {
    const client = await clientOf(era, 'ana');
    const greeting = { protocolVersion: '2025-11-25', capabilities: {} };
    const hello = era === 'modern' ? await client.ask('server/discover') : await client.ask('initialize', greeting);
    expect(messageOf(hello).result).toMatchObject({ capabilities: { tools: { listChanged: true } } });
    const stream = await listen(client);
    expect([stream.status, stream.headers['content-type']]).toEqual([200, 'text/event-stream']);
    expect(stream.headers['x-accel-buffering']).toBe('no');
    await eventually(() => stream.text.includes(': keep-alive\n\n'));
    expect(stream.messages().map(({ method }) => method)).toEqual(
      era === 'modern' ? ['notifications/subscriptions/acknowledged'] : [],
    );
    const opened = await eventually(() =>
      scene.records.find((each) => each.method === 'subscriptions/listen' && each.protocolVersion === versionOf[era]),
    );
    expect(opened).toMatchObject({
      kind: 'session',
      outcome: 'success',
      principal: { id: 'ana' },
      virtualServer: 'dev',
    });
    stream.close();
    const ended = await oneRecord(scene, ({ personal }) => wasOpenedBy(personal, opened!.recordId));
    expect(ended).toMatchObject({ kind: 'session', method: 'subscriptions/ended', principal: { id: 'ana' } });
    expect(ended.personal?.result).toMatchObject({ value: { why: 'client closed', notifications: 0 } });
  });

  it('says once that the list is another one, whatever changed it, and to nobody else', async () => {
    await scene.publishPrincipal('cy', ['readers']);
    const [dev, reader] = [await listen(await clientOf(era, 'ana')), await listen(await clientOf(era, 'cy'))];
    const several = [grant('a', 'readers', ['fixture/add']), grant('b', 'readers', ['fixture/slow'])];
    await scene.publishPolicy(policyOf(several[0]!));
    await scene.publishPolicy(policyOf(...several));
    await eventually(() => reader.told === 1);
    await looked();
    expect([dev.told, reader.told]).toEqual([0, 1]);
    await scene.publishPrincipal('cy', []);
    await eventually(() => reader.told === 2);
    upstream.set({ addTool: `new-${era}` });
    await eventually(() => dev.told === 1);
    await looked();
    expect([dev.told, reader.told]).toEqual([1, 2]);
    await scene.publishPolicy(policyOf());
  });

  it('ends with its token, and nothing is told on it after that', async () => {
    await scene.publishPrincipal(`gil-${era}`, ['developers']);
    const token = await scene.token(`gil-${era}`);
    const stream = await listen(await new WireClient(scene, era, token).open());
    await scene.revoke(token);
    await eventually(() => stream.isOver);
    const told = stream.messages().at(-1)?.error?.data?.code;
    expect(told).toBe(era === 'modern' ? 'WDR_CALL_REVOKED' : undefined);
    const ended = await eventually(() =>
      scene.records.find(({ principal, refusal }) => principal?.id === `gil-${era}` && refusal !== null),
    );
    expect(ended).toMatchObject({
      method: 'subscriptions/ended',
      outcome: 'failure',
      refusal: { code: 'WDR_CALL_REVOKED' },
    });
  });

  it('ends with its principal', async () => {
    await scene.publishPrincipal(`di-${era}`, ['developers']);
    const stream = await listen(await clientOf(era, `di-${era}`));
    await scene.publishPrincipal(`di-${era}`, ['developers'], 'suspended');
    expect(await eventually(() => stream.isOver)).toBe(true);
  });

  it('is refused past what one principal may have open, and what the node has: the protocol goes on', async () => {
    await scene.publishPrincipal('ed', ['developers']);
    const [ana, ed] = [() => clientOf(era, 'ana'), () => clientOf(era, 'ed')];
    for (const of of [ana, ana, ana]) expect((await listen(await of())).status).toBe(200);
    const fourth = await listen(await ana());
    await eventually(() => fourth.isOver);
    expect([fourth.status, fourth.headers['retry-after']]).toEqual([429, '60']);
    expect(JSON.parse(fourth.text)).toMatchObject({ error: { data: { code: 'WDR_SUBSCRIPTION_LIMIT' } } });
    for (const of of [ed, ed, ed]) expect((await listen(await of())).status).toBe(200);
    await scene.publishPrincipal('flo', ['developers']);
    const seventh = await listen(await clientOf(era, 'flo'));
    expect([seventh.status, seventh.headers['retry-after']]).toEqual([503, '1']);
    const opened = () => scene.records.filter(({ method }) => method === 'subscriptions/listen');
    await eventually(() => opened().at(-1)?.refusal?.code === 'WDR_OVERLOADED');
    const codes = opened().map(({ refusal }) => refusal?.code);
    expect(codes.slice(-5)).toEqual(['WDR_SUBSCRIPTION_LIMIT', undefined, undefined, undefined, 'WDR_OVERLOADED']);
  });
});

describe('a modern stream', () => {
  it('names its request in every message, and asks for a filter and a client that takes streams', async () => {
    const client = await clientOf('modern', 'ana');
    const stream = await listen(client);
    const meta = { 'io.modelcontextprotocol/subscriptionId': 'L1' };
    await eventually(() => stream.messages().length === 1);
    expect(stream.messages()[0]?.params).toEqual({ notifications: { toolsListChanged: true }, _meta: meta });
    expect(messageOf(await client.ask('subscriptions/listen')).error?.code).toBe(-32_602);
    const headers = { ...client.headersOf('subscriptions/listen'), accept: 'application/json' };
    const body = client.messageOf('subscriptions/listen', { notifications: {} });
    expect((await scene.send('/mcp/dev', { headers, body })).status).toBe(406);
  });

  it('ends when its token expires', async () => {
    const stream = await listen(new WireClient(scene, 'modern', await scene.token('bo', {}, 1_000)));
    expect(stream.status).toBe(200);
    await eventually(() => stream.isOver);
    expect(stream.messages().at(-1)?.error?.data?.code).toBe('WDR_CALL_REVOKED');
  });
});

describe('the stream of a legacy session', () => {
  it('begins where the client was: it is told what it missed, and nothing where it missed nothing', async () => {
    const client = await clientOf('legacy', 'ana');
    const first = await listen(client);
    const lastEventId = await eventually(() => /^id: (.+)$/m.exec(first.text)?.[1]);
    first.close();
    const same = await listen(client, { 'last-event-id': lastEventId });
    await looked();
    expect(same.told).toBe(0);
    same.close();
    await scene.publishPrincipal('ana', []);
    const later = await listen(client, { 'last-event-id': lastEventId });
    await eventually(() => later.told === 1);
    later.close();
    const unknown = await listen(client, { 'last-event-id': 'of-another-server' });
    await looked();
    expect([unknown.status, unknown.told]).toEqual([200, 0]);
    await scene.publishPrincipal('ana', ['developers']);
    await eventually(() => unknown.told === 1);
  });

  it('is one: a newer one of its session ends it, and so does the end of the session', async () => {
    const client = await clientOf('legacy', 'ana');
    const [first, second] = [await listen(client), await listen(client)];
    await eventually(() => first.isOver);
    expect(second.isOver).toBe(false);
    const headers = client.headersOf('');
    expect((await scene.send('/mcp/dev', { method: 'DELETE', headers })).status).toBe(200);
    await eventually(() => second.isOver);
    await eventually(() => whys().slice(-2).join() === 'replaced,session ended');
  });

  it.each([
    ['without a session', 400, -32_000, { 'mcp-session-id': '' }],
    ['of a session that nobody opened', 404, -32_001, { 'mcp-session-id': 'ws1.AAAA' }],
    ['in a revision that there is not', 400, -32_000, { 'mcp-protocol-version': '2020-01-01' }],
    ['for a client that takes no streams', 406, -31_406, { accept: 'application/json' }],
    ['without a token', 401, -31_401, { authorization: '' }],
  ])('is refused %s with %i and %i', async (_what, status, code, more: Record<string, string>) => {
    const stream = await StreamClient.open(scene, await clientOf('legacy', 'ana'), more);
    await eventually(() => stream.isOver);
    expect(stream.status).toBe(status);
    expect(JSON.parse(stream.text)).toMatchObject({ error: { code } });
  });

  it('is refused to a principal who did not open the session', async () => {
    const [ana, bo] = [await clientOf('legacy', 'ana'), await clientOf('legacy', 'bo')];
    const stream = await StreamClient.open(scene, bo, { 'mcp-session-id': ana.sessionToken! });
    expect(stream.status).toBe(404);
  });
});

/** Last, for it ends the node. */
describe('a node that drains', () => {
  it('ends every stream in good order, at once', async () => {
    const streams = [await listen(await clientOf('modern', 'ana')), await listen(await clientOf('legacy', 'ana'))];
    const stopped = scene.host.stop();
    await eventually(() => streams.every(({ isOver }) => isOver));
    expect(streams[0]?.messages().at(-1)?.result).toMatchObject({ resultType: 'complete' });
    await stopped;
    expect(whys().slice(-2)).toEqual(['draining', 'draining']);
  });
});

function wasOpenedBy(personal: { result: unknown } | null, recordId: string): boolean {
  return JSON.stringify(personal?.result ?? null).includes(`"opened":"${recordId}"`);
}

/** Why streams ended, in the order of their records. */
function whys(): unknown[] {
  const results = scene.records.map(({ personal }) => personal?.result as { value?: { why?: string } } | undefined);
  return results.flatMap((result) => result?.value?.why ?? []);
}
