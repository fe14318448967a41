import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@warder/telemetry';
import { startFixtureUpstream } from '@warder/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createUpstream } from './create-upstream.js';
import type { Upstream, UpstreamBounds, UpstreamCall } from './upstream.js';

const log = createLogger('spec', { level: 'silent' });
const toClose: (() => Promise<unknown>)[] = [];
let nowMs = 0;
const echo: UpstreamCall = { tool: 'echo', args: { text: 'x' }, timeoutMs: 5_000 };

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

function upstreamAt(url: string, allowPrivateAddress = true, bounds: Partial<UpstreamBounds> = {}): Upstream {
  const settings = { transport: { kind: 'streamable-http' as const, url }, timeoutMs: 5_000, allowPrivateAddress };
  const upstream = createUpstream({
    name: 'u',
    settings,
    log,
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    bounds,
  });
  toClose.push(() => upstream.close());
  return upstream;
}

async function serverOf(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
}

/** A server that answers every POST in one way. */
const always = (status: number, body: string, headers: Record<string, string> = {}) =>
  serverOf((request, response) => {
    request.resume().on('end', () => response.writeHead(status, headers).end(body));
  });

const JSON_TYPE = { 'content-type': 'application/json' };

/** A modern server whose calls are answered in one way; it knows nothing but discover. */
const modernThen = (status: number, bodyOf: (id: number) => string, headers = JSON_TYPE as Record<string, string>) =>
  serverOf((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id: number; method: string };
      const result = { resultType: 'complete', supportedVersions: ['2026-07-28'], capabilities: {} };
      if (method === 'server/discover') {
        response.writeHead(200, JSON_TYPE).end(JSON.stringify({ jsonrpc: '2.0', id, result }));
      } else response.writeHead(status, headers).end(bodyOf(id));
    });
  });

describe('an upstream that cannot be used', () => {
  it.each(['"result":1.0', '"error":-0', '"result":[]'])('answers %s, which is no answer', async (member) => {
    const url = await modernThen(200, (id) => `{"jsonrpc":"2.0","id":${id},${member}}`);
    await expect(upstreamAt(url).call(echo)).rejects.toMatchObject({ reason: 'protocol', mayHaveActed: true });
  });

  it.each([
    ['an encoding', 200, { 'content-encoding': 'AKIAQ3EGRVZJXK7PLM2N' }, '{}'],
    ['a revision', 200, {}, '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"AKIAQ3EGRVZJXK7PLM2N"}}'],
  ])('says nothing in the words of the upstream, which may be a secret in the place of %s', async (...given) => {
    const [, status, headers, body] = given;
    const url = await always(status, body, { ...JSON_TYPE, ...headers });
    const failure = await upstreamAt(url)
      .call(echo)
      .catch((error: Error) => error);
    expect(failure).toMatchObject({ reason: 'protocol' });
    expect(String((failure as Error).message)).not.toContain('AKIA');
  });

  it.each([4111111111111111, 1.5, '"x"'])('gives a code of ours for %s, which is none', async (code) => {
    const url = await modernThen(200, (id) => `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"m"}}`);
    expect(await upstreamAt(url).call(echo)).toEqual({ error: { code: -32603, message: 'm' } });
  });

  it.each([
    ['input_required', 'WDR_INPUT_REQUIRED'],
    ['task', 'WDR_RESULT_TYPE'],
  ])('gives a text of ours for a result of type %s, which would pass the guardrails by: %s', async (type, code) => {
    const result = {
      resultType: type,
      inputRequests: [{ message: 'tango' }],
      content: [{ type: 'text', text: 'tango' }],
    };
    const url = await modernThen(200, (id) => JSON.stringify({ jsonrpc: '2.0', id, result }));
    const answer = await upstreamAt(url).call(echo);
    expect(answer).toMatchObject({ result: { isError: true, _meta: { 'warder/code': code } } });
    expect(JSON.stringify(answer)).not.toContain('tango');
  });

  it('calls once, though it refuses with 400 and is as modern as before: it may have acted', async () => {
    let calls = 0;
    const url = await modernThen(400, (id) => {
      calls += 1;
      return JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32_603, message: 'half done' } });
    });
    expect(await upstreamAt(url).call(echo)).toMatchObject({ error: { code: -32_603 } });
    expect(calls).toBe(1);
  });

  it('cannot speak in our name', async () => {
    const meta = { 'warder/code': 'WDR_GUARDRAIL_BLOCKED', 'example.com/own': 1 };
    const result = { resultType: 'complete', content: [], isError: true, _meta: meta };
    const url = await modernThen(200, (id) => JSON.stringify({ jsonrpc: '2.0', id, result }));
    const answer = await upstreamAt(url).call(echo);
    expect('result' in answer && answer.result['_meta']).toEqual({ 'example.com/own': 1 });
  });

  it('says nothing of its own into our log: an error may repeat the credential', async () => {
    const error = { code: -32_000, message: 'Invalid token tango' };
    const url = await modernThen(200, (id) => JSON.stringify({ jsonrpc: '2.0', id, error }));
    const failure = await upstreamAt(url)
      .discover()
      .catch((reason: unknown) => reason);
    expect(String(failure)).toContain('-32000');
    expect(String(failure)).not.toContain('tango');
  });

  it('is not dialled at a private address unless an operator named it', async () => {
    const fixture = await startFixtureUpstream();
    toClose.push(() => fixture.close());
    await expect(upstreamAt(fixture.url, false).call(echo)).rejects.toMatchObject({
      reason: 'address-refused',
      mayHaveActed: false,
    });
    expect(fixture.requests).toBe(0);
  });

  it.each([
    [401, 'unauthorized'],
    [403, 'unauthorized'],
    [500, 'unreachable'],
    [503, 'unreachable'],
    [429, 'unreachable'],
    [302, 'protocol'],
  ])('gets no handshake over HTTP %i, for that is no evidence of an era', async (status, reason) => {
    let requests = 0;
    const url = await serverOf((request, response) => {
      requests += 1;
      request.resume().on('end', () => response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end());
    });
    await expect(upstreamAt(url).call(echo)).rejects.toMatchObject({ reason, status, mayHaveActed: false });
    expect(requests).toBe(1);
  });

  it.each([
    ['text that is no JSON', 'hello'],
    ['JSON that is no message', '[1]'],
    ['neither result nor error', '{"jsonrpc":"2.0","id":1}'],
    ['the answer to another request', '{"jsonrpc":"2.0","id":999,"result":{}}'],
    ['a depth of 10,000', `{"jsonrpc":"2.0","id":1,"result":{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}}`],
  ])('is a protocol failure when it answers with %s', async (_what, body) => {
    const upstream = upstreamAt(await modernThen(200, () => body));
    await expect(upstream.call(echo)).rejects.toMatchObject({ reason: 'protocol', mayHaveActed: true });
  });

  it('is a protocol failure when its event stream ends before the answer', async () => {
    const url = await modernThen(200, () => 'data: {"jsonrpc":"2.0","method":"x"}\n\n', {
      'content-type': 'text/event-stream',
    });
    await expect(upstreamAt(url).call(echo)).rejects.toMatchObject({ reason: 'protocol' });
  });

  it.each([-32020, -32021, -32022])('does not show error %i of its own hop to the agent', async (code) => {
    const upstream = upstreamAt(
      await modernThen(400, (id) => `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"m"}}`),
    );
    expect(await upstream.call(echo)).toStrictEqual({ error: { code: -32603, message: 'm' } });
  });

  it.each(['input_required', 'task'])('has a result of type %s turned into an error of ours', async (type) => {
    const url = await modernThen(200, (id) =>
      JSON.stringify({ jsonrpc: '2.0', id, result: { resultType: type, secret: 'unscreened' } }),
    );
    const answer = await upstreamAt(url).call(echo);
    expect(answer).toMatchObject({ result: { isError: true } });
    expect(JSON.stringify(answer)).not.toContain('unscreened');
  });

  it('fails fast after failures in a row and is tried again after a while', async () => {
    const fixture = await startFixtureUpstream();
    const { url } = fixture;
    await fixture.close();
    const upstream = upstreamAt(url, true, { breakerFailures: 3, breakerOpenMs: 1_000 });
    for (let i = 0; i < 3; i += 1) {
      await expect(upstream.call(echo)).rejects.toMatchObject({ reason: 'unreachable', mayHaveActed: false });
    }
    await expect(upstream.call(echo)).rejects.toMatchObject({ reason: 'unavailable', mayHaveActed: false });
    const again = await startFixtureUpstream({ port: Number(new URL(url).port) });
    toClose.push(() => again.close());
    nowMs += 1_001;
    expect(await upstream.call(echo)).toHaveProperty('result');
    expect(await upstream.call(echo)).toHaveProperty('result');
  });

  it('ends calls that wait for a connection at their deadline, unsent', async () => {
    const fixture = await startFixtureUpstream();
    toClose.push(() => fixture.close());
    fixture.set({ hang: true });
    const upstream = upstreamAt(fixture.url);
    await expect(upstream.call({ ...echo, timeoutMs: 50 })).rejects.toMatchObject({
      reason: 'timeout',
      mayHaveActed: false,
    });
  });

  it('says that nothing was done when the connection breaks in the handshake', async () => {
    const url = await serverOf((request) => void request.socket.destroy());
    await expect(upstreamAt(url).call(echo)).rejects.toMatchObject({ reason: 'unreachable', mayHaveActed: false });
  });

  it('says that a call may have acted when the connection breaks under it', async () => {
    const fixture = await startFixtureUpstream();
    toClose.push(() => fixture.close());
    const upstream = upstreamAt(fixture.url);
    await upstream.call(echo);
    fixture.set({ killAt: 'after-ledger' });
    await expect(upstream.call(echo)).rejects.toMatchObject({ reason: 'unreachable', mayHaveActed: true });
  });

  it('cancels what runs when it is removed', async () => {
    const fixture = await startFixtureUpstream();
    toClose.push(() => fixture.close());
    const upstream = upstreamAt(fixture.url);
    await upstream.call(echo);
    const running = upstream.call({ tool: 'slow', args: { ms: 60_000 }, timeoutMs: 60_000 });
    const outcome = running.catch((error: unknown) => error);
    await upstream.close();
    expect(await outcome).toMatchObject({ reason: 'cancelled' });
    await expect(upstream.call(echo)).rejects.toMatchObject({ reason: 'cancelled', mayHaveActed: false });
  });

  it('speaks a legacy revision that is not known here', async () => {
    const url = await always(
      200,
      '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"1999-01-01","capabilities":{}}}',
      JSON_TYPE,
    );
    await expect(upstreamAt(url).call(echo)).rejects.toMatchObject({ reason: 'protocol' });
  });
});
