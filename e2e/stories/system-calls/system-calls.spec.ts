import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FixtureScene } from '../../fixture-scene.js';
import { START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';
import { callText, HostileClient } from '../8-bad-input/hostile-client.js';
import { ensureStrace, noTraceOn, SystemCallTrace, type TracedCall, tracedCall } from './system-call-trace.js';

const WARM_CALLS = 200;
const TRACED_CALLS = 30;
const BETWEEN_MS = 60;
/** How threads of one process wake each other, and how V8 gets memory: no word leaves the process by them. */
const WITHIN = /^(epoll_\w+|futex|madvise|mmap|munmap|mprotect|sched_yield|getrusage|restart_syscall)$/;

const whyNot = noTraceOn(process.platform);
if (whyNot !== undefined) console.log(`system-calls: not traced, ${whyNot}`);

it('reads what strace writes', () => {
  const tcp = 'TCP:[127.0.0.1:8080->127.0.0.1:50412]';
  expect(tracedCall(`17 read(23<${tcp}>, ""..., 65536) = 512`)).toEqual([{ thread: 17, name: 'read', place: tcp }]);
  expect(tracedCall(`17 write(23<${tcp}>, ""..., 9 <unfinished ...>`)).toEqual([
    { thread: 17, name: 'write', place: tcp },
  ]);
  expect(tracedCall('17 pwrite64(30</d/journal/1/0.seg>, ""..., 9, 64) = 9')).toEqual([
    { thread: 17, name: 'pwrite64', place: '/d/journal/1/0.seg' },
  ]);
  expect(tracedCall('17 <... futex resumed>) = 0')).toEqual([]);
});

describe.skipIf(whyNot !== undefined)('one warm call', () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-trace-')));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let scene: FixtureScene;
  let client: HostileClient;
  let clientPort = 0;

  const call = () =>
    new Promise<number>((resolve, reject) => {
      const { hostname, port, pathname } = client.url;
      const body = callText(`{"nonce":"${newNonce()}","text":"traced"}`);
      const headers = { ...client.headers(), 'content-length': String(Buffer.byteLength(body)) };
      const sent = httpRequest({ hostname, port, path: pathname, method: 'POST', agent, headers }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode ?? 0));
      });
      sent.once('socket', (socket: Socket) => {
        if (socket.localPort !== undefined) clientPort = socket.localPort;
      });
      sent.once('error', reject).end(body);
    });

  beforeAll(async () => {
    ensureStrace();
    scene = await FixtureScene.inShape('standalone');
    const { token } = await scene.member();
    client = new HostileClient({ endpoint: scene.warder.endpoint.replace(/[^/]+$/, 'known'), token });
    await eventually('the token is known', async () => (await call()) === 200);
    for (let done = 0; done < WARM_CALLS; done += 1) await call();
  }, START_TIMEOUT_MS);

  afterAll(async () => {
    agent.destroy();
    await scene?.stop();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  /** What happened from the first byte of each request to the last of its answer. */
  function windows(trace: readonly TracedCall[], upstreamPort: string): string[][] {
    const client = `:${clientPort}]`;
    const loop = trace.find(({ place }) => place.endsWith(client))!.thread;
    const who = ({ thread, name, place }: TracedCall): string => {
      if (place.includes('[eventfd]') || WITHIN.test(name)) return '';
      const verb = /^(read|recv)/.test(name) ? 'read' : /^(p?write|send)/.test(name) ? 'write' : name;
      if (place.endsWith(client)) return `${verb} client`;
      if (place.endsWith(`:${upstreamPort}]`)) return `${verb} upstream`;
      // What calls left in the page cache goes to the disk behind their backs, with a note of how far: `async` waits for
      // neither. On the loop's own thread either one would stop every call.
      if (thread !== loop && /\/journal\/.*(segment|synced)$/.test(place) && verb !== 'read') return '';
      if (place.includes('/journal/')) return `${verb} journal`;
      return `${name} ${place}`;
    };
    const found: string[][] = [];
    let open: string[] | undefined;
    for (const each of trace.map(who)) {
      if (each === 'read client') open ??= [];
      if (each !== '' && open?.at(-1) !== each) open?.push(each);
      if (each !== 'write client' || open === undefined) continue;
      found.push(open);
      open = undefined;
    }
    return found;
  }

  it('sends to the client and the upstream and writes to the journal, nothing else', async () => {
    const { pid } = scene.warder.service('standalone');
    const trace = await SystemCallTrace.of(pid!, join(dir, 'trace'));
    for (let done = 0; done < TRACED_CALLS; done += 1) {
      expect(await call()).toBe(200);
      // Audit, timers and databases of the other services live in this process too: their work falls between calls.
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
    const traced = await trace.end();
    const calls = windows(traced, new URL(scene.fixture.url).port);
    expect(calls.length).toBe(TRACED_CALLS);
    const syncs = traced.filter(({ name, place }) => name === 'fdatasync' && place.endsWith('.segment'));
    expect(syncs.length).toBeGreaterThan(0);
    const loop = traced.find(({ place }) => place.endsWith(`:${clientPort}]`))!.thread;
    expect(syncs.filter(({ thread }) => thread === loop)).toEqual([]);
    // What a call needs, it needs each time; what another part of the process did meanwhile, is not in all of them.
    const quietest = calls.toSorted((one, other) => one.length - other.length)[0];
    expect(quietest).toEqual([
      'read client',
      'write journal',
      'write upstream',
      'read upstream',
      'write journal',
      'write client',
    ]);
  }, 120_000);
});
