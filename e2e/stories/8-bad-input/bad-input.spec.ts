import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import { FixtureScene } from '../../fixture-scene.js';
import { type Shape, shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';
import {
  callText,
  ENVELOPE,
  type HostileAnswer,
  HostileClient,
  type HostileRequest,
  untilClosed,
} from './hostile-client.js';

// Linux answers on all of 127.0.0.0/8, so that a flood has an address of its own.
const STRANGER_ADDRESS = '127.0.0.66';
const FLOOD = 4_000;
const ADDRESSES = 1_200;
/** And one for all addresses beyond them. */
const RECORDS_PER_WINDOW_MAX = 1_000;
const SOCKETS = 100;
const RECORDED_MS = 45_000;

/** Bounds short enough to be seen to work. */
const BOUNDS = { headersTimeoutMs: 1_000, requestTimeoutMs: 3_000 };
const NODE_ENVIRONMENT = { WARDER_LIMITS__BODY_TIMEOUT_MS: '1000', WARDER_LIMITS__REFUSAL_WINDOW_MS: '2000' };
const ENVIRONMENT = {
  balancer: { WARDER_BOUNDS__HEADERS_TIMEOUT_MS: '1000', WARDER_BOUNDS__REQUEST_TIMEOUT_MS: '10000' },
  'ingress-1': NODE_ENVIRONMENT,
  'ingress-2': NODE_ENVIRONMENT,
};

interface Told {
  readonly error?: { readonly code: number; readonly data?: { readonly code?: string } };
  readonly result?: { readonly content: readonly { readonly text: string }[] };
}
const told = ({ text }: HostileAnswer): Told => JSON.parse(text) as Told;
const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;

describe.each(shapesOf('8-bad-input'))('bad input, %s', (shape: Shape) => {
  let dir: string;
  let scene: FixtureScene;
  let known: Member;
  let hostile: HostileClient;
  let pids: (number | undefined)[];

  const processes = () => (shape === 'cluster' ? ['balancer', ...scene.nodes] : scene.nodes);
  const pidsNow = () => processes().map((name) => scene.warder.service(name).pid);
  const clientFrom = (address: string, token = 'wdr_stranger') =>
    new HostileClient({ endpoint: hostile.url.href, token, from: address });
  /** The records of a code's refusals, of one person or from one address, and how many refusals they stand for. */
  const recorded = async (code: string, filters: Record<string, string> = {}, from?: string) => {
    const found = await scene.admin.records({ code, ...filters });
    const records = from === undefined ? found : found.filter(({ personal }) => personal?.address === from);
    return { records, count: records.reduce((sum, { count }) => sum + count, 0) };
  };
  /** How many there are once as many as expected are on record, or once that took too long. */
  const counted = async (code: string, expected: number, filters: Record<string, string> = {}, from?: string) => {
    let count = -1;
    const isThere = async () => (count = (await recorded(code, filters, from)).count) === expected;
    await eventually(`${expected} refusals ${code}`, isThere, RECORDED_MS).catch(() => undefined);
    return count;
  };
  /** Nothing died, and whoever is known is served. */
  const unharmed = async () => {
    for (const agent of scene.agents(known.token)) await eventually('a call is served', () => agent.isServed(), 2_000);
    if (String(pidsNow()) !== String(pids)) throw new Error(`processes ${pids.join()} are now ${pidsNow().join()}`);
  };

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'warder-bad-input-'));
    const configFile = join(dir, 'standalone.yaml');
    writeFileSync(configFile, JSON.stringify({ bounds: BOUNDS }));
    scene = await FixtureScene.inShape(shape, { environment: ENVIRONMENT, configFile });
    known = await scene.member();
    const endpoint = scene.warder.endpoint.replace(/[^/]+$/, 'known');
    hostile = new HostileClient({ endpoint, token: known.token });
    await eventually('the member is known', async () => (await hostile.send()).status === 200);
    pids = pidsNow();
  }, START_TIMEOUT_MS);

  afterEach(unharmed);

  afterAll(async () => {
    hostile?.close();
    await scene?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  describe('before anyone is identified', () => {
    type Row = [what: string, status: number, code: string, sent: HostileRequest];
    const rows: Row[] = [
      ['another Host', 403, 'WDR_HOST_UNKNOWN', { headers: { host: 'evil.example' } }],
      ['another Origin', 403, 'WDR_ORIGIN_FORBIDDEN', { headers: { origin: 'https://evil.example' } }],
      ['GET', 405, 'WDR_METHOD_NOT_ALLOWED', { method: 'GET' }],
      ['no token', 401, 'WDR_TOKEN_MISSING', { headers: { authorization: undefined } }],
      ['text for JSON', 415, 'WDR_CONTENT_TYPE_UNSUPPORTED', { headers: { 'content-type': 'text/plain' } }],
      ['a client of HTML', 406, 'WDR_ACCEPT_UNSUPPORTED', { headers: { accept: 'text/html' } }],
      ['10 MB', 413, 'WDR_BODY_TOO_LARGE', { body: Buffer.alloc(10_000_000, 0x20) }],
    ];
    it.each(rows)('refuses %s with %i %s', async (_what, status, code, sent) => {
      const answer = await hostile.send(sent);
      expect([answer.status, told(answer).error?.data?.code]).toEqual([status, code]);
    });

    it('refuses 10 MB that came without a length', async () => {
      const answer = await hostile.send({ body: Buffer.alloc(10_000_000, 0x20), isChunked: true });
      expect([answer.status, told(answer).error?.data?.code]).toEqual([413, 'WDR_BODY_TOO_LARGE']);
    });

    it('reads no large body of a stranger', async () => {
      const stranger = clientFrom(STRANGER_ADDRESS);
      const socket = await stranger.half(10_000_000, ' '.repeat(70_000));
      expect(await untilClosed(socket)).toMatch(/^HTTP\/1.1 401 /);
    });

    it('leaves each of them counted on record', async () => {
      const expected = rows.map(([, , code]) => [code, code === 'WDR_BODY_TOO_LARGE' ? 2 : 1] as const);
      const counts = await Promise.all(expected.map(async ([code, count]) => [code, await counted(code, count)]));
      expect(counts).toEqual(expected);
      expect(await counted('WDR_TOKEN_UNKNOWN', 1, {}, STRANGER_ADDRESS)).toBe(1);
    }, 120_000);
  });

  describe('a message that is none', () => {
    type Row = [what: string, status: number, code: number, sent: HostileRequest];
    const other = (method: string) => ({ 'mcp-method': method, 'mcp-name': undefined });
    const call = '{"jsonrpc":"2.0","id":1,"method":"tools/call",';
    const list = '{"jsonrpc":"2.0","id":1,"method":"tools/list",';
    const rows: Row[] = [
      ['half of JSON', 400, -32_700, { body: '{"jsonrpc":"2.0","id":1' }],
      ['NUL bytes', 400, -32_700, { body: Buffer.alloc(64) }],
      ['bytes that are no UTF-8', 400, -32_700, { body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]) }],
      ['a batch', 400, -32_600, { body: `[${callText('{}')}]` }],
      [
        'a key twice',
        400,
        -32_600,
        { body: `${list}"method":"tools/call",${ENVELOPE}}`, headers: other('tools/list') },
      ],
      ['a key in odd case', 400, -32_600, { body: `${list}"Method":"tools/call",${ENVELOPE}}` }],
      ['a name twice', 400, -32_600, { body: callText('{}').replace('"name":', '"name":"known__add","name":') }],
      ['arguments in odd case', 400, -32_600, { body: callText('{}').replace('"arguments":', '"Arguments":') }],
      ['a name that is none', 400, -32_020, { body: callText('{}').replace('"known__echo"', '{"a":1}') }],
      ['no envelope', 400, -32_602, { body: `${call}"params":{"name":"known__echo"}}` }],
      ['another tool than its header', 400, -32_020, { body: callText('{}', 'known__add') }],
      ['another method than its header', 400, -32_020, { body: `${list}${ENVELOPE}}` }],
      [
        'a revision that is none',
        400,
        -32_022,
        { body: callText('{}').replace('2026-07-28', '2099-01-01'), headers: { 'mcp-protocol-version': '2099-01-01' } },
      ],
      ['a depth of 10,000', 400, -32_600, { body: callText(`{"x":${deep(10_000)}}`) }],
    ];
    it.each(rows)('gets the protocol’s own error for %s: %i, %i', async (_what, status, code, sent) => {
      const answer = await hostile.send(sent);
      expect([answer.status, told(answer).error?.code]).toEqual([status, code]);
    });

    it('leaves one record each, of whoever sent it', async () => {
      const filters = { human: known.principalId, kind: 'protocol' };
      expect(await counted('WDR_MESSAGE_INVALID', rows.length, filters)).toBe(rows.length);
      const { records } = await recorded('WDR_MESSAGE_INVALID');
      expect(records.map(({ count, decision }) => [count, decision])).toEqual(rows.map(() => [1, 'forbid']));
    });

    it('knows no other methods', async () => {
      const body = `{"jsonrpc":"2.0","id":1,"method":"tools/destroy",${ENVELOPE}}`;
      const answer = await hostile.send({ body, headers: { 'mcp-method': 'tools/destroy', 'mcp-name': undefined } });
      expect([answer.status, told(answer).error?.code]).toEqual([404, -32_601]);
      expect(await counted('WDR_METHOD_UNKNOWN', 1, { human: known.principalId })).toBe(1);
    });
  });

  describe('hostile arguments', () => {
    const echoed = async (textJson: string) => {
      const nonce = newNonce();
      const answer = await hostile.send({ body: callText(`{"nonce":"${nonce}","text":${textJson}}`) });
      expect(answer.status).toBe(200);
      let found: Awaited<ReturnType<typeof recorded>>['records'] = [];
      await eventually('its record', async () => {
        found = await scene.admin.records({ upstream: 'known', text: nonce });
        return found.length > 0;
      });
      return { text: told(answer).result?.content[0]?.text, found };
    };

    it.each([
      ['a NUL', '"a\\u0000b"', 'a\u0000b', 'a\ufffdb'],
      ['a lone surrogate', '"a\\ud800b"', 'a\ud800b', 'a\ufffdb'],
      ['a pair upside down', '"\\udc00\\ud800"', '\udc00\ud800', '\ufffd\ufffd'],
      ['a key of the prototype', '"x","__proto__":{"polluted":true}', 'x', 'x'],
    ])('go up and come back with %s, harmless in the record', async (_what, textJson, expected, kept) => {
      const { text, found } = await echoed(textJson);
      expect(text).toBe(expected);
      expect(found).toHaveLength(1);
      expect(found[0]?.personal?.arguments).toMatchObject({ value: { text: kept } });
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    });

    it('go up and come back with 1 MB, of which the record keeps the head, the length and the hash', async () => {
      const { text, found } = await echoed(`"${'ü'.repeat(500_000)}"`);
      expect(text).toBe('ü'.repeat(500_000));
      expect(found[0]?.personal?.arguments).toMatchObject({
        bytes: expect.any(Number),
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(found[0]?.personal?.arguments?.bytes).toBeGreaterThan(1_000_000);
      expect(JSON.stringify(found[0]?.personal?.arguments).length).toBeLessThan(20_000);
    });
  });

  describe('sockets', () => {
    // To a server, a client that says no more and one that is gone look the same; the call of either is given up.
    it('takes one whose client has said its last for one whose client is gone', async () => {
      const nonce = newNonce();
      const body = callText(`{"nonce":"${nonce}","ms":60000}`, 'known__slow');
      const socket = await hostile.half(body.length, body, 'known__slow');
      await eventually('it runs', async () => scene.fixture.executed().some((entry) => entry.nonce === nonce));
      socket.end();
      await untilClosed(socket);
      await eventually('the upstream was told', async () => scene.fixture.cancelled.includes(nonce));
      expect(await counted('WDR_CALL_CANCELLED', 1, { outcome: 'unknown' })).toBe(1);
    });

    it('lets go of bodies that were cut', async () => {
      const cut = await Promise.all(Array.from({ length: SOCKETS }, () => hostile.half(100, '{"jsonrpc"')));
      for (const socket of cut) socket.end();
      for (const socket of cut) expect(await untilClosed(socket)).not.toMatch(/^HTTP\/1.1 (200|500)/);
    });

    it('lets go of bodies that trickle', async () => {
      const socket = await hostile.half(100, '{');
      const drip = setInterval(() => socket.write(' '), 200);
      const answer = await untilClosed(socket);
      clearInterval(drip);
      expect(answer).toMatch(/^HTTP\/1.1 408 /);
      const ofOurs = shape === 'cluster' ? 1 : 0;
      expect(await counted('WDR_BODY_TIMEOUT', ofOurs)).toBe(ofOurs);
    });

    it('serves others while a hundred headers never end, and lets go of them', async () => {
      const stranger = clientFrom(STRANGER_ADDRESS);
      const slow = await Promise.all(Array.from({ length: SOCKETS }, () => stranger.connect()));
      for (const socket of slow) socket.write('POST /mcp/known HTTP/1.1\r\nx-slow: ');
      expect((await hostile.send()).status).toBe(200);
      for (const socket of slow) expect(await untilClosed(socket)).toMatch(/^HTTP\/1.1 408 |^$/);
    });

    it.each([
      ['what is no HTTP', 'hello\r\n\r\n'],
      ['two lengths', 'POST /mcp/known HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}'],
      [
        'a length and chunks',
        'POST /mcp/known HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['a header of 20 KB', `POST /mcp/known HTTP/1.1\r\nhost: x\r\nx-long: ${'y'.repeat(20_000)}\r\n\r\n`],
    ])('answers %s with an error and hangs up', async (_what, text) => {
      const socket = await hostile.connect();
      socket.write(text);
      expect(await untilClosed(socket)).toMatch(/^HTTP\/1.1 4\d\d /);
    });
  });

  describe('a flood of strangers', () => {
    it(`is refused ${FLOOD} times on a handful of records, while known callers are served`, async () => {
      const before = await recorded('WDR_TOKEN_UNKNOWN', {}, STRANGER_ADDRESS);
      const stranger = clientFrom(STRANGER_ADDRESS);
      const statuses = new Map<number, number>();
      let left = FLOOD;
      let isOver = false;
      const attack = async () => {
        while (left-- > 0) {
          const { status } = await stranger.send();
          statuses.set(status, (statuses.get(status) ?? 0) + 1);
        }
      };
      const flood = Promise.all(Array.from({ length: 24 }, attack)).then(() => (isOver = true));
      let served = 0;
      while (!isOver) {
        expect((await hostile.send({ body: callText(`{"nonce":"${newNonce()}"}`) })).status).toBe(200);
        served += 1;
      }
      await flood;
      stranger.close();
      expect(served).toBeGreaterThan(3);
      const turnedAway = statuses.get(429) ?? 0;
      expect((statuses.get(401) ?? 0) + turnedAway).toBe(FLOOD);
      const refused = before.count + FLOOD - turnedAway;
      expect(await counted('WDR_TOKEN_UNKNOWN', refused, {}, STRANGER_ADDRESS)).toBe(refused);
      expect(await counted('WDR_ADDRESS_LIMITED', turnedAway)).toBe(turnedAway);
      const { records } = await recorded('WDR_TOKEN_UNKNOWN', {}, STRANGER_ADDRESS);
      expect(records.length - before.records.length).toBeLessThan(30);
    }, 120_000);

    it(`that comes from ${ADDRESSES} addresses at once is on record to the last one, within the window’s budget`, async () => {
      const before = await recorded('WDR_TOKEN_MISSING');
      const places = Array.from({ length: ADDRESSES }, (_, at) => `127.1.${at >> 8}.${at & 255}`);
      const attack = async () => {
        for (let place = places.pop(); place !== undefined; place = places.pop()) {
          const one = clientFrom(place);
          expect((await one.send({ headers: { authorization: undefined } })).status).toBe(401);
          one.close();
        }
      };
      await Promise.all(Array.from({ length: 16 }, attack));
      expect(await counted('WDR_TOKEN_MISSING', before.count + ADDRESSES)).toBe(before.count + ADDRESSES);
      const { records } = await recorded('WDR_TOKEN_MISSING');
      const perWindow = new Map<string, number>();
      for (const { occurredAtMs, node } of records) {
        const window = `${node} ${Math.floor(occurredAtMs / 2_000)}`;
        perWindow.set(window, (perWindow.get(window) ?? 0) + 1);
      }
      expect(Math.max(...perWindow.values())).toBeLessThanOrEqual(RECORDS_PER_WINDOW_MAX + 1);
    }, 120_000);
  });

  it('has let nothing into the upstream’s ledger without its record', async () => {
    await expect(scene.ledgerHolds()).resolves.toBeUndefined();
  });
});
