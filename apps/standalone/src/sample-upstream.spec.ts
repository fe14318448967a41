import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createLogger } from '@warder/telemetry';
import { ensureBuilt } from '@warder/testing';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type SampleUpstream, startSampleUpstream } from './sample-upstream.js';

const log = createLogger('test', { level: 'silent' });
let upstream: SampleUpstream | undefined;

// Its preload runs in a process of its own, which knows no TypeScript.
beforeAll(() => ensureBuilt('apps/standalone'), 120_000);
afterEach(async () => {
  await upstream?.stop();
  upstream = undefined;
});

async function refuses(host: string, port: number): Promise<boolean> {
  const socket = connect({ host, port, timeout: 2_000 });
  return new Promise((resolve) => {
    socket
      .once('connect', () => resolve(false))
      .once('error', () => resolve(true))
      .once('timeout', () => resolve(true));
    socket.once('connect', () => socket.destroy()).once('timeout', () => socket.destroy());
  });
}

describe('the sample upstream', () => {
  it('speaks MCP on loopback, and on no other address', async () => {
    upstream = await startSampleUpstream(undefined, log);
    await upstream.answers();
    const answer = await fetch(upstream.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'initialize',
        params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '1' } },
      }),
    });
    expect(await answer.text()).toContain('mcp-servers/everything');
    const port = Number(new URL(upstream.url).port);
    const others = Object.values(networkInterfaces()).flatMap((all) => (all ?? []).filter(({ internal }) => !internal));
    const addresses = ['::1', ...others.filter(({ family }) => family === 'IPv4').map(({ address }) => address)];
    expect(await Promise.all(addresses.map((address) => refuses(address, port)))).toEqual(addresses.map(() => true));
  });

  it('takes its earlier port again, and another one when that is taken', async () => {
    upstream = await startSampleUpstream(undefined, log);
    await upstream.answers();
    const earlier = upstream.url;
    await upstream.stop();
    upstream = await startSampleUpstream(earlier, log);
    expect(upstream.url).toBe(earlier);
    await upstream.stop();
    const thief = createServer().listen(Number(new URL(earlier).port), '127.0.0.1');
    await once(thief, 'listening');
    upstream = await startSampleUpstream(earlier, log);
    expect(upstream.url).not.toBe(earlier);
    thief.close();
  });
});
