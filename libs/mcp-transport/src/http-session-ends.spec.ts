import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@warder/telemetry';
import { afterEach, expect, it } from 'vitest';
import { createUpstream } from './create-upstream.js';
import type { Upstream } from './upstream.js';

const TOOL = {
  name: 'echo',
  inputSchema: { type: 'object', properties: { text: { type: 'string', 'x-mcp-header': 'Text' } } },
};
const DISCOVERED = { supportedVersions: ['2026-07-28'], capabilities: { tools: { listChanged: true } } };
const toClose: (() => Promise<unknown>)[] = [];
let nowMs = 0;

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

interface Answer {
  readonly status?: number;
  readonly result?: object;
  readonly error?: object;
}

/** An upstream on a clock of the test whose requests are answered by `answer`; undefined: never. */
async function upstreamOf(answer: (method: string) => Answer | undefined): Promise<Upstream> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id: unknown; method: string };
      const { status = 200, ...rest } = answer(method) ?? { status: 0 };
      if (status === 0) return;
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...rest }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  toClose.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`;
  const settings = {
    transport: { kind: 'streamable-http' as const, url },
    timeoutMs: 5_000,
    allowPrivateAddress: true,
  };
  const log = createLogger('spec', { level: 'silent' });
  const upstream = createUpstream({
    name: 'u',
    settings,
    log,
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
  });
  toClose.push(() => upstream.close());
  return upstream;
}

it('ends a call that is sent a second time at the one deadline of both', async () => {
  let calls = 0;
  const upstream = await upstreamOf((method) => {
    if (method === 'server/discover') return { result: DISCOVERED };
    if (method === 'tools/list') return { result: { tools: [TOOL] } };
    if (method !== 'tools/call' || (calls += 1) > 1) return undefined;
    nowMs += 4_900;
    return { status: 400, error: { code: -32_020, message: 'Mcp-Param-Text is missing' } };
  });
  const call = upstream.call({ tool: 'echo', args: { text: 'x' }, timeoutMs: 5_000 });
  await expect(call).rejects.toMatchObject({ reason: 'timeout', mayHaveActed: true });
  expect(calls).toBe(2);
}, 3_000);

it('keeps no session and opens no stream under a credential that was revoked while the session was opened', async () => {
  const asked: string[] = [];
  const upstream = await upstreamOf((method) => {
    asked.push(method);
    if (method === 'server/discover' && asked.length === 1) upstream.forgetCredentials();
    return method === 'server/discover' ? { result: DISCOVERED } : { result: { tools: [TOOL] } };
  });
  const listing = upstream.discover(undefined, { kind: 'headers', values: { authorization: 'Bearer revoked' } });
  await expect(listing).rejects.toMatchObject({ reason: 'cancelled', mayHaveActed: false });
  expect(
    await upstream.discover(undefined, { kind: 'headers', values: { authorization: 'Bearer another' } }),
  ).toHaveLength(1);
  expect(asked.filter((method) => method === 'server/discover')).toHaveLength(2);
  expect(asked.filter((method) => method === 'subscriptions/listen').length).toBeLessThanOrEqual(1);
});
