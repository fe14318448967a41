import { createConnection, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { callCancelledTopic } from '@warder/contracts';
import { createHash } from 'node:crypto';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { eventually, IngressScene, oneRecord } from './ingress.scene.js';
import { messageOf, messagesOf, WireClient } from './wire-client.scene.js';

const KEY = 'AKIAQ3EGRVZJXK7PLM2N';
let upstream: FixtureUpstream;
let scene: IngressScene;
let token: string;

const policy = (more: object = {}) => ({
  upstreams: {
    fixture: {
      transport: { kind: 'streamable-http' as const, url: upstream.url },
      allowPrivateAddress: true,
      timeoutMs: 5_000,
    },
    hasty: {
      transport: { kind: 'streamable-http' as const, url: upstream.url },
      allowPrivateAddress: true,
      timeoutMs: 100,
    },
  },
  virtualServers: {
    dev: {
      tools: [
        { upstream: 'fixture', tool: '*', prefix: '' as const },
        { upstream: 'hasty', tool: 'slow' },
        { upstream: 'hasty', tool: 'gzip' },
      ],
    },
  },
  grants: [{ name: 'all', effect: 'permit' as const, to: { group: 'developers' }, tools: ['*/*'] }],
  ...more,
});

beforeAll(async () => {
  upstream = await startFixtureUpstream();
  const limits = { runningMax: 20, streamBufferBytesMax: 4_096, keepAliveMs: 50, readTimeoutMs: 500 };
  scene = await new IngressScene().start(policy(), { limits });
  token = await scene.token('ana');
  await scene.untilListed(new WireClient(scene, 'modern', token), 'slow', 'hasty__slow');
});

afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
});

/** The record of the call with this nonce. */
const recordOf = (nonce: string) =>
  oneRecord(scene, (record) => JSON.stringify(record.personal?.arguments).includes(`"${nonce}"`));
const reached = (nonce: string) => eventually(() => upstream.executed().find((entry) => entry.nonce === nonce));
const upstreamHeardOfItsEnd = (nonce: string) => eventually(() => upstream.cancelled.includes(nonce) || undefined);

/** Opens a call by hand on a socket of its own. */
function rawCall(client: WireClient, args: Record<string, unknown>, name: string, meta?: object): Socket {
  const { hostname, port, host } = new URL(scene.host.url);
  const body = client.messageOf('tools/call', { name, arguments: args, ...(meta ? { _meta: meta } : {}) });
  const head = { host, ...client.headersOf('tools/call', name), 'content-length': String(Buffer.byteLength(body)) };
  const lines = Object.entries(head).map(([key, value]) => `${key}: ${value}`);
  const socket = createConnection({ host: hostname, port: Number(port) });
  socket.on('error', () => undefined);
  socket.write(`POST /mcp/dev HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  return socket;
}

describe.each(['modern', 'legacy'] as const)('a %s client', (era) => {
  const open = () => new WireClient(scene, era, token).open();

  it('hears of progress under its own token, then gets its answer, on one stream', async () => {
    const answer = await (await open()).call('progress', { n: 3, text: 'step' }, { progressToken: 'mine' });
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(answer.headers['x-accel-buffering']).toBe('no');
    const messages = messagesOf(answer);
    expect(messages.map(({ method, params }) => [method, params?.progressToken, params?.progress])).toEqual([
      ['notifications/progress', 'mine', 1],
      ['notifications/progress', 'mine', 2],
      ['notifications/progress', 'mine', 3],
      [undefined, undefined, undefined],
    ]);
    expect(messages[3]?.result?.content).toEqual([{ type: 'text', text: 'finished' }]);
  });

  it('gets no secret in a progress message', async () => {
    const answer = await (await open()).call('secret', { where: 'progress', nonce: `p-${era}` }, { progressToken: 1 });
    expect(messagesOf(answer)).toHaveLength(2);
    expect(answer.text).not.toContain(KEY);
    expect((await recordOf(`p-${era}`)).findings.map(({ phase }) => phase)).toContain('interim');
  });

  it.each(['split', 'structured'])('gets no secret that is %s', async (where) => {
    const answer = await (await open()).call('secret', { where });
    expect(answer.text).not.toContain(KEY.slice(9));
  });

  it.each(['dup-keys', 'sse-split'])('gets no secret by way of %s', async (name) => {
    expect((await (await open()).call(name)).text).not.toContain(KEY);
  });

  it('is flagged a poisoned answer, and keeps it', async () => {
    const answer = await (await open()).call('poison', { nonce: `poison-${era}` });
    expect(answer.text).toContain('Ignore all previous instructions');
    const { findings } = await recordOf(`poison-${era}`);
    expect(new Set(findings.map(({ category, action }) => `${category} ${action}`))).toEqual(
      new Set(['injection flag']),
    );
    expect(findings.map(({ detector }) => detector)).toContain('injection.override');
  });

  it('is shown a sign of life while it waits on a stream', async () => {
    const answer = await (await open()).call('slow', { ms: 200 }, { progressToken: 1 });
    expect(answer.text).toContain(': keep-alive\n\n');
    expect(messagesOf(answer)).toHaveLength(1);
  });

  it.each([false, true])('is cut off in the middle of a call by a revocation (on a stream: %s)', async (isStream) => {
    const doomed = await scene.token('ana');
    const client = await new WireClient(scene, era, doomed).open();
    const nonce = `revoke-${era}-${isStream}`;
    const meta = isStream ? { progressToken: 1 } : undefined;
    const call = client.call('slow', { ms: 60_000, nonce }, meta);
    await reached(nonce);
    await scene.revoke(doomed);
    const answer = await call;
    expect(messageOf(answer)).toMatchObject({ error: { data: { code: 'WDR_CALL_REVOKED' } } });
    await upstreamHeardOfItsEnd(nonce);
    expect(await recordOf(nonce)).toMatchObject({ outcome: 'unknown', refusal: { code: 'WDR_CALL_REVOKED' } });
    expect((await client.ask('tools/list')).status).toBe(401);
  });
});

/** Calls `slow`, closes the connection while it runs, and gives the call's record. */
async function closedUnder(era: 'modern' | 'legacy', ms: number) {
  const client = await new WireClient(scene, era, token).open();
  const gone = new AbortController();
  const call = client.call('slow', { ms, nonce: `close-${era}` }, undefined, gone.signal);
  await reached(`close-${era}`);
  gone.abort();
  await expect(call).rejects.toThrow('aborted');
  return recordOf(`close-${era}`);
}

describe('a connection that closes under its call', () => {
  it('ends the call of a modern client on the upstream, and the record says that the outcome is unknown', async () => {
    const record = await closedUnder('modern', 60_000);
    expect(record).toMatchObject({ outcome: 'unknown', refusal: { code: 'WDR_CALL_CANCELLED' } });
    await upstreamHeardOfItsEnd('close-modern');
  });

  it('ends no call of a legacy client, which would say so', async () => {
    expect(await closedUnder('legacy', 200)).toMatchObject({ outcome: 'success', refusal: null });
    expect(upstream.cancelled).not.toContain('close-legacy');
  });
});

describe('a legacy cancellation', () => {
  const notify = (client: WireClient, requestId: unknown) =>
    scene.send('/mcp/dev', {
      headers: client.headersOf('notifications/cancelled'),
      body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } }),
    });
  const slow = (client: WireClient, id: unknown, nonce: string) =>
    scene.send('/mcp/dev', {
      headers: client.headersOf('tools/call'),
      body: client.messageOf('tools/call', { name: 'slow', arguments: { ms: 60_000, nonce } }, id),
    });

  it('ends the call of that session and id', async () => {
    const client = await new WireClient(scene, 'legacy', token).open();
    const call = slow(client, 'call-1', 'cancel-here');
    await reached('cancel-here');
    expect((await notify(client, 'another')).status).toBe(202);
    expect((await notify(client, 'call-1')).status).toBe(202);
    expect(messageOf(await call)).toMatchObject({ id: 'call-1', error: { code: -32800 } });
    await upstreamHeardOfItsEnd('cancel-here');
  });

  it('is broadcast when the call runs on another node, and heard when it comes from one', async () => {
    const told: unknown[] = [];
    await scene.bus.watch(callCancelledTopic, 'end', ({ value }) => void told.push(value));
    const client = await new WireClient(scene, 'legacy', token).open();
    const call = slow(client, 7, 'cancel-there');
    await reached('cancel-there');
    await notify(client, 8);
    const hash = (id: number) => createHash('sha256').update(`${client.sessionToken}\n${id}`).digest('base64url');
    await vi.waitFor(() => expect(told).toMatchObject([{ callKey: hash(8), principalId: 'ana', node: 'ingress-1' }]));
    const fromAnother = { callKey: hash(7), node: 'ingress-2', atMs: 0 };
    await scene.bus.publish(callCancelledTopic, hash(7), { ...fromAnother, principalId: 'bo' });
    await scene.bus.publish(callCancelledTopic, hash(7), { ...fromAnother, principalId: 'ana' });
    expect(messageOf(await call)).toMatchObject({ error: { code: -32800 } });
  });
});

describe('an upstream that gives no answer', () => {
  it('costs its own call a time-out, told so that the model can read it: WDR_UPSTREAM_TIMEOUT', async () => {
    const answer = await new WireClient(scene, 'modern', token).call('hasty__slow', { ms: 60_000, nonce: 'late' });
    expect(messageOf(answer)).toMatchObject({
      result: { isError: true, resultType: 'complete', _meta: { 'warder/code': 'WDR_UPSTREAM_TIMEOUT' } },
    });
    expect(await recordOf('late')).toMatchObject({ outcome: 'unknown', decision: 'permit' });
  });

  it('is told of when it answers compressed although nobody asked for that: WDR_UPSTREAM_FAILED', async () => {
    const answer = await new WireClient(scene, 'modern', token).call('hasty__gzip', { nonce: 'gzipped' });
    expect(answer.text).not.toContain(KEY);
    expect(messageOf(answer)).toMatchObject({ result: { _meta: { 'warder/code': 'WDR_UPSTREAM_FAILED' } } });
  });
});

describe('a client that takes more than its share', () => {
  it('is given up when it does not read: WDR_CLIENT_TOO_SLOW', async () => {
    const client = new WireClient(scene, 'modern', token);
    const socket = rawCall(client, { n: 9_000, text: 'x'.repeat(2_000), nonce: 'unread' }, 'progress', {
      progressToken: 1,
    });
    socket.pause();
    expect(await recordOf('unread')).toMatchObject({ refusal: { code: 'WDR_CLIENT_TOO_SLOW' } });
    socket.destroy();
  });

  it('is cut off when it does not read its answer either: nothing is held for whoever takes nothing', async () => {
    const open = () =>
      new Promise<number>((resolve) =>
        scene.host.app.getHttpServer().getConnections((_: unknown, n: number) => resolve(n)),
      );
    const client = new WireClient(scene, 'modern', token);
    const socket = rawCall(client, { bytes: 8_000_000, nonce: 'held' }, 'big');
    socket.pause();
    await recordOf('held');
    expect(await open()).toBeGreaterThan(0);
    await eventually(async () => (await open()) === 0);
    socket.destroy();
  });

  it('waits for others to finish when the node is full: WDR_OVERLOADED', async () => {
    const client = new WireClient(scene, 'modern', token);
    const gone = new AbortController();
    const many = Array.from({ length: 20 }, (_, at) =>
      client.call('slow', { ms: 60_000, nonce: `full-${at}` }, undefined, gone.signal).catch(() => undefined),
    );
    await reached('full-19');
    const answer = await client.call('echo', {});
    expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
    expect(messageOf(answer)).toMatchObject({ id: expect.any(Number), error: { data: { code: 'WDR_OVERLOADED' } } });
    gone.abort();
    await Promise.all(many);
    await vi.waitFor(async () => expect((await client.call('echo', {})).status).toBe(200));
  });

  it('is told when to come back, in each era alike: WDR_RATE_LIMITED', async () => {
    await scene.publishPolicy(policy({ limit: { callsPerMinute: 1, burst: 1 } }));
    await scene.publishPrincipal('cy', ['developers']);
    const client = new WireClient(scene, 'modern', await scene.token('cy'));
    const answer = await eventually(async () => {
      const each = await client.call('echo', {});
      return each.status === 429 ? each : undefined;
    });
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(messageOf(answer)).toMatchObject({ error: { data: { code: 'WDR_RATE_LIMITED' } } });
    await scene.publishPolicy(policy());
  });
});

it('lets no token of a caller up and no credential down', async () => {
  const client = new WireClient(scene, 'modern', token);
  const answer = await eventually(async () => {
    const each = await client.call('headers');
    return each.status === 200 ? each : undefined;
  });
  expect(answer.text).toContain('accept-encoding');
  expect(answer.text).not.toContain(token);
  expect(answer.text).not.toContain('authorization');
});

it('hears of a new tool without anyone asking', async () => {
  upstream.set({ addTool: 'brand-new' });
  await vi.waitFor(async () => {
    expect((await new WireClient(scene, 'modern', token).ask('tools/list')).text).toContain('brand-new');
  }, 5_000);
});
