import { createConnection } from 'node:net';
import { startFixtureUpstream, type FixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Answered, eventually, IngressScene } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

let upstream: FixtureUpstream;
let scene: IngressScene;
let token: string;

beforeAll(async () => {
  upstream = await startFixtureUpstream();
  const transport = { kind: 'streamable-http' as const, url: upstream.url };
  scene = await new IngressScene().start(
    {
      upstreams: { fixture: { transport, allowPrivateAddress: true } },
      virtualServers: {
        dev: { tools: [{ upstream: 'fixture', tool: '*', prefix: '' }] },
        other: { tools: [{ upstream: 'fixture', tool: '*', prefix: '' }] },
      },
      grants: [{ name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['fixture/*'] }],
    },
    {
      limits: {
        bodyBytesMax: 65_536,
        strangerBodyBytesMax: 4_096,
        receivingBytesMax: 200_000,
        bodyTimeoutMs: 2_000,
        refusalWindowMs: 200,
      },
    },
  );
  token = await scene.token('ana');
  await scene.untilListed(new WireClient(scene, 'modern', token), 'echo');
});

afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
});

const modernHeaders = (more: Record<string, string> = {}) => ({
  ...new WireClient(scene, 'modern', token).headersOf('tools/call', 'echo'),
  ...more,
});
const goodBody = () => new WireClient(scene, 'modern', token).messageOf('tools/call', { name: 'echo', arguments: {} });
const errorOf = (answer: Answered) => messageOf(answer).error;
/** Waits for the record of what was counted. */
const counted = (code: string) => eventually(() => scene.records.find((record) => record.refusal?.code === code));

describe('the door', () => {
  type Row = [what: string, status: number, code: string, send: () => Promise<Answered>];
  const send = (headers: Record<string, string>, body = goodBody(), path = '/mcp/dev', method = 'POST') =>
    scene.send(path, { headers: headers, body, method });
  const rows: Row[] = [
    [
      'two tokens',
      400,
      'WDR_HEADER_REPEATED',
      () => send({ ...modernHeaders(), authorization: [`Bearer ${token}`, 'Bearer wdr_x'] as never }),
    ],
    ['another Host', 403, 'WDR_HOST_UNKNOWN', () => send(modernHeaders({ host: 'evil.example' }))],
    ['another Origin', 403, 'WDR_ORIGIN_FORBIDDEN', () => send(modernHeaders({ origin: 'https://evil.example' }))],
    ['GET of a modern client', 405, 'WDR_METHOD_NOT_ALLOWED', () => send(modernHeaders(), '', '/mcp/dev', 'GET')],
    ['no token', 401, 'WDR_TOKEN_MISSING', () => send({ ...modernHeaders(), authorization: '' })],
    ['another scheme', 401, 'WDR_TOKEN_MISSING', () => send(modernHeaders({ authorization: 'Basic eDp5' }))],
    ['a made-up token', 401, 'WDR_TOKEN_UNKNOWN', () => send(modernHeaders({ authorization: 'Bearer wdr_x' }))],
    ['an unknown server', 404, 'WDR_VIRTUAL_SERVER_UNKNOWN', () => send(modernHeaders(), goodBody(), '/mcp/nope')],
    ['a path below a server', 404, 'WDR_VIRTUAL_SERVER_UNKNOWN', () => send(modernHeaders(), goodBody(), '/mcp/dev/x')],
    ['no content type', 415, 'WDR_CONTENT_TYPE_UNSUPPORTED', () => send({ ...modernHeaders(), 'content-type': '' })],
    ['text', 415, 'WDR_CONTENT_TYPE_UNSUPPORTED', () => send(modernHeaders({ 'content-type': 'text/plain' }))],
    ['gzip', 415, 'WDR_CONTENT_TYPE_UNSUPPORTED', () => send(modernHeaders({ 'content-encoding': 'gzip' }))],
    ['only HTML taken', 406, 'WDR_ACCEPT_UNSUPPORTED', () => send(modernHeaders({ accept: 'text/html' }))],
    ['10 MB', 413, 'WDR_BODY_TOO_LARGE', () => send(modernHeaders(), ' '.repeat(10_000_000))],
    [
      'a stranger with a large body',
      401,
      'WDR_TOKEN_UNKNOWN',
      () => send(modernHeaders({ authorization: 'Bearer wdr_x' }), ' '.repeat(5_000)),
    ],
  ];
  it.each(rows)('refuses %s with %i and %s, and counts it', async (_what, status, code, act) => {
    const answer = await act();
    expect(answer.status).toBe(status);
    expect(errorOf(answer)).toMatchObject({ data: { code } });
    expect(answer.headers['www-authenticate'] !== undefined).toBe(status === 401);
    await counted(code);
  });

  it.each(['constructor', '__proto__', 'toString'])('records a call of the method %s as what it is', async (method) => {
    const body = JSON.stringify({ ...(JSON.parse(goodBody()) as object), method });
    expect((await send(modernHeaders({ 'mcp-method': method }), body)).status).toBe(404);
    const record = await eventually(() => scene.records.find((each) => each.method === method));
    expect(record).toMatchObject({ kind: 'protocol', refusal: { code: 'WDR_METHOD_UNKNOWN' } });
  });

  it('records who asked for a server that is not there', async () => {
    const about = { virtualServer: 'not-there', principal: { id: 'ana' } };
    await send(modernHeaders(), goodBody(), '/mcp/not-there');
    const record = await eventually(() => scene.records.find(({ virtualServer }) => virtualServer === 'not-there'));
    expect(record).toMatchObject({ ...about, decision: 'forbid', refusal: { code: 'WDR_VIRTUAL_SERVER_UNKNOWN' } });
  });

  it('answers a stranger who goes on sending a large body, and reads little of it', async () => {
    const { host, port } = new URL(scene.host.url);
    for (let round = 0; round < 5; round += 1) {
      const socket = createConnection(Number(port), '127.0.0.1').setEncoding('utf8');
      let seen = '';
      let failure: Error | undefined;
      socket.on('data', (chunk: string) => (seen += chunk)).on('error', (error) => (failure = error));
      const lines = Object.entries(
        modernHeaders({ host, authorization: 'Bearer wdr_x', 'content-length': '50000000' }),
      );
      socket.write(`POST /mcp/dev HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.pause();
      for (let piece = 0; piece < 200 && failure === undefined; piece += 1) {
        socket.write(' '.repeat(4_096));
        await new Promise((resolve) => setImmediate(resolve));
      }
      socket.resume();
      await closed;
      expect([seen.slice(0, 12), failure]).toEqual(['HTTP/1.1 401', undefined]);
    }
  });

  it('tells a stranger nothing about which servers there are', async () => {
    const stranger = modernHeaders({ authorization: 'Bearer wdr_x' });
    const known = await send(stranger);
    const unknown = await send(stranger, goodBody(), '/mcp/nope');
    expect([unknown.status, unknown.text]).toEqual([known.status, known.text]);
  });

  it('refuses a body that trickles: WDR_BODY_TIMEOUT', async () => {
    const { hostname, port, host } = new URL(scene.host.url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    const head = { ...modernHeaders(), host, 'content-length': '100' };
    socket.write(
      `POST /mcp/dev HTTP/1.1\r\n${Object.entries(head)
        .map(([name, value]) => `${name}: ${value}`)
        .join('\r\n')}\r\n\r\n{`,
    );
    const answered = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())));
    socket.destroy();
    expect(answered).toMatch(/^HTTP\/1.1 408 /);
    await counted('WDR_BODY_TIMEOUT');
  });

  it('holds no more of all bodies together than its bound, and takes short ones meanwhile: WDR_OVERLOADED', async () => {
    const { hostname, port, host } = new URL(scene.host.url);
    const head = Object.entries({ ...modernHeaders(), host, 'content-length': '65000' });
    const text = `POST /mcp/dev HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n`;
    const answers: string[] = [];
    const sockets = Array.from({ length: 6 }, () => {
      const socket = createConnection({ host: hostname, port: Number(port) });
      socket.on('data', (chunk) => answers.push(chunk.toString().slice(0, 12)));
      socket.write(text + ' '.repeat(60_000));
      return socket;
    });
    await eventually(() => answers.length >= 3);
    expect([...new Set(answers)]).toEqual(['HTTP/1.1 503']);
    expect((await send(modernHeaders())).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await counted('WDR_OVERLOADED');
    // What was held is given back.
    await eventually(async () => (await send(modernHeaders(), goodBody() + ' '.repeat(50_000))).status === 200);
  });

  it('survives a client that goes away in the middle of its body', async () => {
    const { hostname, port, host } = new URL(scene.host.url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.end(
      `POST /mcp/dev HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{`,
    );
    await new Promise((resolve) => socket.resume().once('close', resolve));
    expect((await send(modernHeaders())).status).toBe(200);
  });
});

describe('a message that is none', () => {
  const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
  const envelope =
    '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}';
  const rows: [what: string, body: string, status: number, code: number, headers?: Record<string, string>][] = [
    ['not JSON', '{', 400, -32700],
    ['nothing', '', 400, -32700],
    ['a batch', '[]', 400, -32600],
    ['a number', '5', 400, -32600],
    [
      'too deep',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"x":${deep}}}}`,
      400,
      -32600,
    ],
    ['a key twice', `{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list","params":{${envelope}}}`, 400, -32600],
    [
      'an odd-case key',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"Name":"echo",${envelope}}}`,
      400,
      -32600,
    ],
    ['no envelope', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}', 400, -32602],
    [
      'another name than its header',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add",${envelope}}}`,
      400,
      -32020,
    ],
    [
      'another method than its header',
      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{${envelope}}}`,
      400,
      -32020,
    ],
    [
      'an unknown revision',
      `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{${envelope.replace('2026-07-28', '2099-01-01')}}}`,
      400,
      -32022,
      { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'tools/list' },
    ],
    ['an answer that nobody asked for', '{"jsonrpc":"2.0","id":1,"result":{}}', 400, -32600],
  ];
  it.each(rows)('gets the protocol’s own error for %s', async (_what, body, status, code, headers = {}) => {
    const answer = await scene.send('/mcp/dev', { headers: modernHeaders(headers), body });
    expect([answer.status, errorOf(answer)?.code]).toEqual([status, code]);
  });

  it('leaves a record that names who sent it: WDR_MESSAGE_INVALID', async () => {
    await scene.send('/mcp/dev', { headers: modernHeaders(), body: '{' });
    const found = await counted('WDR_MESSAGE_INVALID');
    expect(found).toMatchObject({ kind: 'protocol', principal: { id: 'ana' }, decision: 'forbid' });
  });

  it('is not answered to a stranger: the token comes first', async () => {
    const answer = await scene.send('/mcp/dev', {
      headers: modernHeaders({ authorization: 'Bearer wdr_x' }),
      body: '{',
    });
    expect(answer.status).toBe(401);
  });

  it.each(['modern', 'legacy'] as const)('knows no other methods in the %s era: WDR_METHOD_UNKNOWN', async (era) => {
    const client = await new WireClient(scene, era, token).open();
    const answer = await client.ask('resources/list');
    expect([answer.status, errorOf(answer)?.code]).toEqual([era === 'modern' ? 404 : 200, -32601]);
    await counted('WDR_METHOD_UNKNOWN');
  });
});

describe('hostile arguments', () => {
  it.each([
    ['a NUL', 'a\u0000b', 'a\ufffdb'],
    ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
    ['a backslash before what looks like an escape', '\\u0000', '\\u0000'],
  ])('carries %s to the upstream and back, harmless in the record', async (what, text, recorded) => {
    const client = new WireClient(scene, 'modern', token);
    const answer = messageOf(await client.call('echo', { text, nonce: what }));
    expect(answer.result?.content?.[0]?.text).toBe(text);
    await vi.waitFor(() => {
      const found = scene.records.find((record) =>
        JSON.stringify(record.personal?.arguments).includes(JSON.stringify(what).slice(1, -1)),
      );
      expect(found?.personal?.arguments).toMatchObject({ value: { text: recorded } });
    });
  });

  it('keeps the first 16 KiB of long ones, with length and hash', async () => {
    const client = new WireClient(scene, 'modern', token);
    await client.call('echo', { text: 'ü'.repeat(20_000), nonce: 'long' });
    await vi.waitFor(() => {
      const found = scene.records.find(({ personal }) => personal?.arguments && 'head' in personal.arguments);
      expect(found?.personal?.arguments).toMatchObject({
        bytes: 40_000 + '{"text":"","nonce":"long"}'.length,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
    });
  });

  it('keeps numbers to the digit, both ways', async () => {
    const client = new WireClient(scene, 'modern', token);
    const message = client.messageOf('tools/call', { name: 'echo-arguments', arguments: { id: 0 } });
    const body = message.replace('"id":0', '"id":9223372036854775807');
    const there = await scene.send('/mcp/dev', { headers: client.headersOf('tools/call', 'echo-arguments'), body });
    expect(there.status).toBe(200);
    const back = await client.call('numbers');
    expect(back.text).toContain('{"id":9223372036854775807,"huge":1e400,"zero":-0,"ratio":1.0}');
  });
});

describe('a legacy session', () => {
  const legacy = () => new WireClient(scene, 'legacy', token).open();

  it('is required: WDR_SESSION_MISSING', async () => {
    const answer = await new WireClient(scene, 'legacy', token).ask('tools/list');
    expect([answer.status, errorOf(answer)?.code]).toEqual([400, -32000]);
    await counted('WDR_SESSION_MISSING');
  });

  it('is good for its own principal and server only, and until it is ended', async () => {
    const mine = await legacy();
    const others = new WireClient(scene, 'legacy', await scene.token('bo'));
    others.sessionToken = mine.sessionToken;
    const elsewhere = new WireClient(scene, 'legacy', token, 'other');
    elsewhere.sessionToken = mine.sessionToken;
    const forged = new WireClient(scene, 'legacy', token);
    forged.sessionToken = `${mine.sessionToken!.slice(0, -2)}AA`;
    for (const client of [others, elsewhere, forged]) expect((await client.ask('tools/list')).status).toBe(404);
    expect((await mine.ask('tools/list')).status).toBe(200);
    const ended = await scene.send('/mcp/dev', { method: 'DELETE', headers: mine.headersOf('') });
    expect([ended.status, ended.text]).toEqual([200, '']);
    expect((await mine.ask('tools/list')).status).toBe(404);
    mine.sessionToken += '=';
    expect((await mine.ask('tools/list')).status).toBe(404);
    await counted('WDR_SESSION_UNKNOWN');
  });

  it('answers ping itself and takes notifications with 202', async () => {
    const client = await legacy();
    expect(messageOf(await client.ask('ping'))).toMatchObject({ result: {} });
    const body = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
    const taken = await scene.send('/mcp/dev', { headers: client.headersOf(''), body });
    expect([taken.status, taken.text]).toEqual([202, '']);
    const { text: metrics } = await scene.send('/metrics', { method: 'GET', headers: {} });
    expect(metrics).toMatch(/warder_operations_total\{method="other",code="answered"\} \d/);
  });

  it('leaves a record of its start', async () => {
    await legacy();
    await vi.waitFor(() => {
      const found = scene.records.find((record) => record.method === 'initialize');
      expect(found).toMatchObject({
        kind: 'session',
        personal: { claimed: { name: 'wire-client' } },
        protocolVersion: '2025-11-25',
        outcome: 'success',
      });
    });
  });
});

it('discovers in the modern era', async () => {
  const answer = messageOf(await new WireClient(scene, 'modern', token).ask('server/discover'));
  expect(answer.result).toMatchObject({
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: { listChanged: true } },
    resultType: 'complete',
  });
});
