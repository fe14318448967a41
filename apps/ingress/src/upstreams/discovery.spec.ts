import type { UpstreamCatalogue } from '@warder/contracts';
import { createLogger } from '@warder/telemetry';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Discovery } from './discovery.js';

const EVERY_MS = 300_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function discovery(list: () => Promise<{ name: string; inputSchema: object }[]>) {
  const published: UpstreamCatalogue[] = [];
  const counts = { listings: 0 };
  const made = new Discovery({
    upstream: 'everything',
    node: 'ingress-1',
    everyMs: EVERY_MS,
    list: async () => {
      counts.listings += 1;
      return (await list()) as never;
    },
    known: () => published.at(-1),
    publish: async (catalogue) => void published.push(catalogue),
    wallMs: () => Date.now(),
    log: createLogger('test', { level: 'silent' }),
  });
  return { made, published, counts };
}

let tools = 0;
const anotherEachTime = async () => [{ name: `tool-${(tools += 1)}`, inputSchema: {} }];

it('asks an upstream that announces changes without end once a second', async () => {
  const { made, counts } = discovery(anotherEachTime);
  made.trigger();
  for (let ms = 0; ms < 10_000; ms += 10) {
    made.changed();
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(counts.listings).toBeGreaterThan(8);
  expect(counts.listings).toBeLessThanOrEqual(11);
  await made.stop();
});

it('asks one that fails meanwhile no more often', async () => {
  const { made, counts } = discovery(() => Promise.reject(new Error('broken')));
  made.trigger();
  for (let ms = 0; ms < 10_000; ms += 10) {
    made.changed();
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(counts.listings).toBeLessThanOrEqual(12);
  await made.stop();
});

it('forgets no announcement: one that comes while it lists or rests is followed, one after that at once', async () => {
  const { made, published } = discovery(anotherEachTime);
  made.trigger();
  made.changed();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(published).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(5_000);
  made.changed();
  await vi.advanceTimersByTimeAsync(0);
  expect(published).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(EVERY_MS - 1);
  expect(published).toHaveLength(3);
  await vi.advanceTimersByTimeAsync(1);
  expect(published).toHaveLength(4);
  await made.stop();
});
