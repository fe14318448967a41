import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@warder/telemetry';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createUpstream } from './create-upstream.js';
import type { InterimMessage, Upstream, UpstreamAnswer, UpstreamBounds } from './upstream.js';

// A server on stdio in a few lines; the flags say how it misbehaves.
const SERVER = `
const flags = process.argv.slice(2);
const { appendFileSync } = require('node:fs');
const { spawn } = require('node:child_process');
const isModern = flags.includes('modern');
appendFileSync(process.env.PIDS, process.pid + '\\n');
if (flags.includes('grandchild')) {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  appendFileSync(process.env.PIDS, child.pid + '\\n');
}
if (flags.includes('stubborn')) { process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); }
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n');
const text = (said) => ({ content: [{ type: 'text', text: said }], ...(isModern ? { resultType: 'complete' } : {}) });
if (flags.includes('noisy')) process.stdout.write('Server is starting\\n{"half":\\n\\n');
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (method === 'server/discover') {
    if (flags.includes('exits-on-probe')) process.exit(1);
    if (flags.includes('silent-on-probe')) return;
    if (!isModern) return send({ id, error: { code: -32601, message: 'Method not found' } });
    return send({ id, result: { supportedVersions: ['2026-07-28'], capabilities: {}, resultType: 'complete' } });
  }
  if (method === 'initialize') return send({ id, result: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: {} } });
  if (method === 'tools/list') return send({ id, result: { tools: [{ name: 'echo', inputSchema: { type: 'object' } }] } });
  if (method === 'notifications/cancelled') return appendFileSync(process.env.PIDS, 'cancelled ' + params.requestId + '\\n');
  if (method !== 'tools/call') return;
  const { name, arguments: args, _meta } = params;
  if (name === 'exit') process.exit(3);
  if (name === 'hang') return;
  if (name === 'big') return process.stdout.write('x'.repeat(100000));
  if (name === 'env') return send({ id, result: text(Object.keys(process.env).sort().join(',')) });
  if (name === 'progress') {
    send({ method: 'notifications/progress', params: { progressToken: 999, progress: 9 } });
    send({ method: 'notifications/progress', params: { progressToken: _meta.progressToken, progress: 1 } });
    send({ id: 'q', method: 'elicitation/create', params: {} });
  }
  if (name === 'change') send({ method: 'notifications/tools/list_changed' });
  setTimeout(() => send({ id, result: text(args.text ?? name) }), args.ms ?? 0);
});
`;

const log = createLogger('spec', { level: 'silent' });
const upstreams: Upstream[] = [];
let dir: string;
let nowMs = 0;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'warder-stdio-'));
  writeFileSync(join(dir, 'server.cjs'), SERVER);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
afterEach(async () => {
  for (const upstream of upstreams.splice(0)) await upstream.close();
  rmSync(join(dir, 'pids'), { force: true });
});

const noted = () => readFileSync(join(dir, 'pids'), 'utf8').trim().split('\n');
const isAlive = (pid: string) => {
  // A zombie answers kill(0) too; only its state tells.
  const state = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
};

function start(flags: readonly string[] = [], bounds: Partial<UpstreamBounds> = {}): Upstream {
  const upstream = createUpstream({
    name: 'child',
    settings: { transport: { kind: 'stdio', entry: 'child' }, timeoutMs: 5_000, allowPrivateAddress: false },
    stdioEntry: {
      command: process.execPath,
      args: [join(dir, 'server.cjs'), ...flags],
      env: { PIDS: join(dir, 'pids'), OWN: '1' },
    },
    log,
    clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    bounds: { exitGraceMs: 400, ...bounds },
  });
  upstreams.push(upstream);
  return upstream;
}

const call = (upstream: Upstream, tool: string, args: Record<string, unknown> = {}) =>
  upstream.call({ tool, args, timeoutMs: 5_000 });
const textOf = (answer: UpstreamAnswer) =>
  'result' in answer ? (answer.result['content'] as { text: string }[])[0]?.text : answer.error;

describe('a stdio upstream', () => {
  it.each([[[]], [['modern']], [['noisy']], [['exits-on-probe']], [['silent-on-probe']]])(
    'finds out the era and calls, whatever its server does first: %j',
    async (flags: string[]) => {
      const upstream = start(flags, { probeTimeoutMs: 500 });
      expect((await upstream.discover()).map((tool) => tool.name)).toStrictEqual(['echo']);
      const texts = Array.from({ length: 20 }, (_, i) => `t${i}`);
      const answers = await Promise.all(texts.map((text, i) => call(upstream, 'echo', { text, ms: 20 - i })));
      expect(answers.map(textOf)).toStrictEqual(texts);
    },
  );

  it('refuses to be without an entry of this node', () => {
    const settings = { transport: { kind: 'stdio' as const, entry: 'gone' }, timeoutMs: 1, allowPrivateAddress: false };
    expect(() =>
      createUpstream({ name: 'u', settings, log, clock: { monotonicMs: () => 0, wallMs: () => 0 } }),
    ).toThrow('this node\'s stdio.yaml has no entry "gone"');
  });

  it('starts its child without the secrets in the environment of the gateway', async () => {
    process.env['WARDER_TEST_SECRET'] = 'x';
    const names = JSON.stringify(textOf(await call(start(), 'env')));
    delete process.env['WARDER_TEST_SECRET'];
    expect(names).toMatch(/\bOWN\b/);
    expect(names).not.toContain('WARDER_TEST_SECRET');
  });

  it('passes on progress of the call only, and answers requests of the server itself', async () => {
    const interim: InterimMessage[] = [];
    await start().call({ tool: 'progress', timeoutMs: 5_000, onInterim: (message) => void interim.push(message) });
    expect(interim).toStrictEqual([{ method: 'notifications/progress', params: { progress: 1 } }]);
  });

  it('tells the server of a cancellation and of a deadline', async () => {
    const upstream = start();
    await call(upstream, 'echo');
    const controller = new AbortController();
    const cancelled = upstream
      .call({ tool: 'hang', timeoutMs: 5_000, signal: controller.signal })
      .catch((e: unknown) => e);
    controller.abort();
    expect(await cancelled).toMatchObject({ reason: 'cancelled', mayHaveActed: true });
    await expect(upstream.call({ tool: 'hang', timeoutMs: 30 })).rejects.toMatchObject({ reason: 'timeout' });
    await call(upstream, 'echo');
    expect(noted().filter((line) => line.startsWith('cancelled'))).toHaveLength(2);
  });

  it('hears that the tools changed', async () => {
    const upstream = start();
    let changes = 0;
    const stop = upstream.onListChanged(() => (changes += 1));
    await call(upstream, 'change');
    expect(changes).toBe(1);
    stop();
    await call(upstream, 'change');
    expect(changes).toBe(1);
  });

  it('starts a child again after it left: at once, then after a pause that doubles', async () => {
    const upstream = start();
    await expect(call(upstream, 'exit')).rejects.toMatchObject({ reason: 'unreachable', mayHaveActed: true });
    expect(textOf(await call(upstream, 'echo', { text: 'again' }))).toBe('again');
    await expect(call(upstream, 'exit')).rejects.toMatchObject({ reason: 'unreachable' });
    await expect(call(upstream, 'echo')).rejects.toMatchObject({ reason: 'unavailable', mayHaveActed: false });
    nowMs += 201;
    expect(textOf(await call(upstream, 'echo', { text: 'later' }))).toBe('later');
    expect(new Set(noted()).size).toBe(3);
  });

  it('is unreachable when its command does not exist', async () => {
    const upstream = createUpstream({
      name: 'none',
      settings: { transport: { kind: 'stdio', entry: 'none' }, timeoutMs: 5_000, allowPrivateAddress: false },
      stdioEntry: { command: join(dir, 'no-such-program') },
      log,
      clock: { monotonicMs: () => nowMs, wallMs: () => nowMs },
    });
    upstreams.push(upstream);
    await expect(call(upstream, 'echo')).rejects.toMatchObject({ reason: 'unreachable', mayHaveActed: false });
  });

  it('kills a child that writes past every bound', async () => {
    const upstream = start([], { answerBytesMax: 10_000 });
    await expect(call(upstream, 'big')).rejects.toMatchObject({ reason: 'unreachable' });
  });

  it('leaves no process behind, not even one that its child started and that will not go', async () => {
    const upstream = start(['grandchild', 'stubborn']);
    await call(upstream, 'echo');
    expect(noted()).toHaveLength(2);
    await upstream.close();
    expect(noted().filter(isAlive)).toStrictEqual([]);
    await expect(call(upstream, 'echo')).rejects.toMatchObject({ reason: 'cancelled' });
  });
});
