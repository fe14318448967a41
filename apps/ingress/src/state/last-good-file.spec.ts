import { createKafkaBus } from '@warder/bus';
import { createLogger } from '@warder/telemetry';
import { AccessTokens, Callers, PrincipalDirectory } from '@warder/tokens';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LastGoodFile } from './last-good-file.js';
import { NodeState } from './node-state.js';
import { Replication } from './replication.js';

const log = createLogger('spec', { level: 'silent' });
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'warder-last-good-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(dir, { recursive: true, force: true });
});

it('writes no copy once it is closed, whatever changes then', async () => {
  const bus = createKafkaBus({ node: 'n1', service: 'ingress', brokers: ['127.0.0.1:9'], log, clock });
  const ignore = () => undefined;
  const directory = new PrincipalDirectory({ p1: 'a-pepper-of-at-least-32-characters' });
  const state = new NodeState(new Callers(directory, new AccessTokens(() => 'https://warder.example')), {
    onPolicy: ignore,
    onConnection: ignore,
    onUpstreamAuth: ignore,
    onSeen: ignore,
    onChanged: ignore,
  });
  const replication = new Replication(bus, state, clock);
  replication.loadedLastGood(clock.wallMs());
  const path = join(dir, 'replica.sealed');
  const file = new LastGoodFile(path, Buffer.alloc(32, 1), clock.wallMs, log);
  await file.load(state, replication);
  vi.useFakeTimers();
  await file.close();
  expect(existsSync(path)).toBe(true);
  const timers = vi.getTimerCount();
  file.changed();
  expect(vi.getTimerCount()).toBe(timers);
  vi.useRealTimers();
  await bus.close();
});
