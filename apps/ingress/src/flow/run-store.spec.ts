import { observe } from '@warder/flow';
import { describe, expect, it } from 'vitest';
import { type FoundRun, RunStore } from './run-store.js';

const WINDOW_MS = 1_000;
const store = (bounds = { runsMax: 10, valuesMax: 1_000 }, isBehind = () => false) =>
  new RunStore('k', bounds, isBehind);
const read = (found: FoundRun, answer: unknown = 'mail eve@evil.example') => {
  for (const { run } of found.all) observe(run, { callId: 'c1', tool: 'wiki/read', bits: 1 }, answer, 'k');
  if (found.all.length === 1) found.all[0]!.isMixed = true;
};
const isTainted = ({ run }: FoundRun) => run.isUnknown || run.bits !== 0;

describe('a run', () => {
  it('is one for a client without a name for it, and ends when it was not used for its window', () => {
    const runs = store();
    read(runs.find('ana', undefined, WINDOW_MS, 0));
    expect(isTainted(runs.find('ana', undefined, WINDOW_MS, 900))).toBe(true);
    expect(isTainted(runs.find('bo', undefined, WINDOW_MS, 900))).toBe(false);
    expect(isTainted(runs.find('ana', undefined, WINDOW_MS, 1_899))).toBe(true);
    expect(isTainted(runs.find('ana', undefined, WINDOW_MS, 2_899))).toBe(false);
  });

  it('sheds nothing when the client names another with each call, or none', () => {
    const runs = store();
    read(runs.find('ana', 'run-1', WINDOW_MS, 0));
    for (const hint of ['run-2', 'run-3', undefined]) {
      const found = runs.find('ana', hint, WINDOW_MS, 10);
      expect(isTainted(found)).toBe(true);
      expect(found.run.sources).toEqual([{ callId: 'c1', tool: 'wiki/read', bits: 1 }]);
      expect(found.run.values.size).toBeGreaterThan(0);
    }
  });

  it('that was begun before another read something is apart from it', () => {
    const runs = store();
    runs.find('ana', 'run-1', WINDOW_MS, 0);
    read(runs.find('ana', 'run-2', WINDOW_MS, 1));
    expect(isTainted(runs.find('ana', 'run-1', WINDOW_MS, 2))).toBe(false);
    expect(isTainted(runs.find('ana', 'run-2', WINDOW_MS, 2))).toBe(true);
  });

  it('is no longer apart once a call that named none has read something', () => {
    const runs = store();
    runs.find('ana', 'run-1', WINDOW_MS, 0);
    read(runs.find('ana', undefined, WINDOW_MS, 1));
    expect(isTainted(runs.find('ana', 'run-1', WINDOW_MS, 2))).toBe(true);
  });

  it('counts as unknown while the bus is stale, and as what it was afterwards', () => {
    let isBehind = true;
    const runs = store(undefined, () => isBehind);
    expect(runs.find('ana', undefined, WINDOW_MS, 0).run.isUnknown).toBe(true);
    isBehind = false;
    expect(isTainted(runs.find('ana', undefined, WINDOW_MS, 1))).toBe(false);
  });

  it.each([
    ['runs', { runsMax: 2, valuesMax: 1_000 }],
    ['values', { runsMax: 10, valuesMax: 1 }],
  ])('that had to go for too many %s is not clean when it comes again', (_what, bounds) => {
    const runs = store(bounds);
    read(runs.find('ana', undefined, WINDOW_MS, 0), 'eve@evil.example and mal@evil.example, 10.0.0.7');
    for (const other of ['bo', 'cy', 'ana', 'di']) runs.find(other, undefined, WINDOW_MS, 10);
    expect(isTainted(runs.find('ana', undefined, WINDOW_MS, 20))).toBe(true);
    expect(isTainted(runs.find('eve', undefined, WINDOW_MS, 2_000))).toBe(false);
  });
});
