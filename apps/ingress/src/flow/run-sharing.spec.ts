import { type Bus, type BusClock, createInProcessBus } from '@warder/bus';
import { runStateTopic } from '@warder/contracts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { RunSharing } from './run-sharing.js';
import { RunStore } from './run-store.js';

const WINDOW_MS = 60_000;
const log = { debug() {}, info() {}, warn() {}, error() {} };
let nowMs = 0;
const clock: BusClock = { wallMs: () => 1_790_000_000_000 + nowMs, monotonicMs: () => nowMs };
const stops: (() => void)[] = [];
afterEach(() => {
  vi.useRealTimers();
  for (const stop of stops.splice(0)) stop();
  nowMs = 0;
});

async function node(bus: Bus) {
  const sharing = new RunSharing({ bus, clock, log: log as never });
  const runs = new RunStore('k', { runsMax: 100, valuesMax: 10_000 }, () => sharing.isBehind());
  stops.push(await sharing.start(runs));
  await new Promise((resolve) => setImmediate(resolve));
  return { sharing, find: (hint?: string) => runs.find('ana', hint, WINDOW_MS, nowMs) };
}
const busOf = () => createInProcessBus({ node: 'ingress-1', log, clock });
const seenOf = (names: string[]) => ({
  runs: names,
  callId: 'c1',
  tool: 'wiki/read',
  bits: 1,
  values: ['v1'],
  isUnknown: false,
  windowMs: WINDOW_MS,
});

describe('what a run has seen on one node', () => {
  it('is known on another: labels, hashes and the call', async () => {
    const bus = busOf();
    const [here, there] = [await node(bus), await node(bus)];
    expect(there.find().run).toMatchObject({ isUnknown: false, bits: 0 });
    here.sharing.tell(seenOf([here.find().name]));
    await new Promise((resolve) => setImmediate(resolve));
    const { run } = there.find();
    expect(run).toMatchObject({ bits: 1, sources: [{ callId: 'c1', tool: 'wiki/read', bits: 1 }] });
    expect([...run.values.keys()]).toEqual(['v1']);
    expect(there.find('another name').run.bits).toBe(1);
  });

  it('counts as unknown before a node has read its own mark, and while none comes back', async () => {
    const bus = busOf();
    const unheard = new RunSharing({ bus, clock, log: log as never });
    expect(unheard.isBehind()).toBe(true);
    const here = await node(bus);
    expect(here.find().run.isUnknown).toBe(false);
    nowMs = 10_001;
    expect(here.find().run.isUnknown).toBe(true);
  });

  it('is told again when the bus did not take it', async () => {
    const bus = busOf();
    const there = await node(bus);
    let isAway = false;
    const flaky = Object.create(bus, {
      publish: {
        value: (...message: Parameters<Bus['publish']>) =>
          isAway ? Promise.reject(new Error('away')) : bus.publish(...message),
      },
    }) as Bus;
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const here = await node(flaky);
    isAway = true;
    here.sharing.tell(seenOf([here.find().name]));
    await new Promise((resolve) => setImmediate(resolve));
    expect(there.find().run.bits).toBe(0);
    isAway = false;
    vi.advanceTimersByTime(2_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(there.find().run.bits).toBe(1);
  });

  it('is over after its window, though its message is read again', async () => {
    const bus = busOf();
    const here = await node(bus);
    const { name } = here.find();
    const old = { ...seenOf([name]), kind: 'seen' as const, node: 'ingress-2', atMs: clock.wallMs() - WINDOW_MS };
    await bus.publish(runStateTopic, name, old);
    expect(here.find().run.bits).toBe(0);
  });
});
