import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  auditCheckpointTopic,
  auditDeadLetterTopic,
  auditRecordedTopic,
  callCancelledTopic,
  type Topic,
  tokenStateTopic,
} from '@warder/contracts';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RawMessage } from './bus.js';
import { EventTopic, isKeptForReaders } from './event-topic.js';

const DAY_MS = 86_400_000;
const topic: Topic<unknown> = {
  ...tokenStateTopic,
  name: 'warder.test.v1',
  cleanup: 'delete',
  retentionMs: 7 * DAY_MS,
};
let dir: string;
let nowMs: number;
let said: { message: string; fields: Record<string, unknown> }[];
let open: EventTopic[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'warder-events-'));
  nowMs = Date.now();
  said = [];
  open = [];
});

afterEach(async () => {
  await Promise.all(open.map((each) => each.close()));
  rmSync(dir, { recursive: true, force: true });
});

function openTopic(topicBytesMax = 67_108_864, mustBeRead = false, of = topic): EventTopic {
  const say = (fields: object, message: string): void =>
    void said.push({ message, fields: fields as Record<string, unknown> });
  const log = { debug() {}, info() {}, warn: say, error: say };
  const bounds = { dir, topicBytesMax, groupKeptMs: 7 * DAY_MS };
  const clock = { wallMs: () => nowMs, monotonicMs: () => nowMs };
  const made = new EventTopic(of, { bounds, mustBeRead, clock, log });
  open.push(made);
  return made;
}

async function reopened(events: EventTopic): Promise<EventTopic> {
  await events.close();
  return openTopic();
}

function publish(events: EventTopic, ...keys: string[]): Promise<void> {
  return events.publish(
    keys.map((key) => ({ key, value: Buffer.from(JSON.stringify({ key, padding: 'x'.repeat(200) })) })),
    nowMs,
  );
}

/** Takes everything that the group has before it, and stops. */
async function drain(events: EventTopic, group: string): Promise<RawMessage[]> {
  const seen: RawMessage[] = [];
  const stop = await events.start(group, async (batch) => void seen.push(...batch));
  await vi.waitFor(async () => expect((await events.lag(group)).records).toBe(0), { timeout: 10_000, interval: 5 });
  await stop();
  return seen;
}

const keysOf = (messages: readonly RawMessage[]): (string | null)[] => messages.map(({ key }) => key);
const segments = (): string[] =>
  readdirSync(join(dir, topic.name))
    .filter((name) => name.endsWith('.events'))
    .toSorted()
    .map((name) => join(dir, topic.name, name));

it('acknowledges an event that nobody has read, and delivers it after a restart, from where each group stood', async () => {
  let events = openTopic();
  await publish(events, 'a', 'b');
  expect(keysOf(await drain(events, 'store'))).toEqual(['a', 'b']);
  await publish(events, 'c');
  events = await reopened(events);
  expect(await events.lag('store')).toEqual({ records: 1, ms: 0 });
  nowMs += 1_500;
  expect(await events.lag('siem')).toEqual({ records: 3, ms: 1_500 });
  const again = await drain(events, 'store');
  expect(again.map(({ key, offset }) => [key, offset])).toEqual([['c', '2']]);
  expect(JSON.parse(again[0]!.value.toString())).toMatchObject({ key: 'c' });
  expect(keysOf(await drain(events, 'siem'))).toEqual(['a', 'b', 'c']);
});

it('reads on behind a damaged place, tells what is lost, and loses nothing else', async () => {
  let events = openTopic();
  await publish(events, 'a', 'b', 'c', 'd');
  await events.close();
  const [file] = segments();
  const bytes = readFileSync(file!);
  bytes[bytes.indexOf('"key":"b"')]! ^= 1;
  writeFileSync(file!, bytes);
  events = openTopic();
  expect(keysOf(await drain(events, 'store'))).toEqual(['a', 'c', 'd']);
  const lost = said.find(({ message }) => message === 'events cannot be read any more');
  expect(lost?.fields).toMatchObject({ topic: topic.name, fromOffset: 1, toOffset: 1, messages: 1 });
  await publish(events, 'e');
  expect((await drain(events, 'store')).map(({ key, offset }) => [key, offset])).toEqual([['e', '4']]);
});

it('cuts off a torn last message and gives no offset again that a group has seen', async () => {
  let events = openTopic();
  await publish(events, 'a', 'b');
  await drain(events, 'store');
  await events.close();
  const [file] = segments();
  truncateSync(file!, readFileSync(file!).length - 3);
  events = openTopic();
  await publish(events, 'c');
  expect((await drain(events, 'store')).map(({ key, offset }) => [key, offset])).toEqual([['c', '2']]);
  expect(keysOf(await drain(events, 'siem'))).toEqual(['a', 'c']);
  const cut = said.find(({ message }) => message === 'an event segment was not whole, what can be read goes on');
  expect(cut?.fields).toMatchObject({ damages: 0 });
  expect(cut?.fields['cutBytes']).toBeGreaterThan(200);
});

it('refuses the publisher at its bytes while a group has not read, names the group, and takes more when it has', async () => {
  const events = openTopic(40_000);
  const stop = await events.start('slow', async () => {
    throw new Error('the receiver is away');
  });
  const taken: string[] = [];
  const fill = async (): Promise<void> => {
    for (let index = 0; index < 1_000; index += 1) {
      await publish(events, `k${index}`);
      taken.push(`k${index}`);
    }
  };
  await expect(fill()).rejects.toMatchObject({ reason: 'buffer-full', message: expect.stringContaining('by slow') });
  expect(taken.length).toBeGreaterThan(100);
  await stop();
  expect(keysOf(await drain(events, 'slow'))).toEqual(taken);
  await publish(events, 'z');
  expect(keysOf(await drain(events, 'slow'))).toEqual(['z']);
});

it('removes the oldest that everybody has read rather than refuse, and nothing before there is a reader', async () => {
  const events = openTopic(40_000, true);
  const fill = async (): Promise<void> => {
    for (let index = 0; index < 200; index += 1) await publish(events, `k${index}`);
  };
  await expect(fill()).rejects.toMatchObject({ reason: 'buffer-full', message: expect.stringContaining('nobody yet') });
  const first = await drain(events, 'store');
  expect(first[0]?.key).toBe('k0');
  const stop = await events.start('store', async () => {});
  for (let index = 0; index < 300; index += 1) {
    await publish(events, `l${index}`);
    await vi.waitFor(async () => expect((await events.lag('store')).records).toBe(0), { interval: 1 });
  }
  await stop();
  expect(segments().length).toBeLessThan(10);
  await events.rewind('store', 'beginning');
  const kept = keysOf(await drain(events, 'store'));
  expect(kept.at(-1)).toBe('l299');
  expect(kept.length).toBeLessThan(200);
});

it('removes by time only what every group has read', async () => {
  const events = openTopic();
  await publish(events, 'old');
  await drain(events, 'store');
  const stop = await events.start('slow', async () => {
    throw new Error('the receiver is away');
  });
  nowMs += 8 * DAY_MS;
  await publish(events, 'new');
  await events.expire();
  await stop();
  expect(keysOf(await drain(events, 'slow'))).toEqual(['old', 'new']);
  await drain(events, 'store');
  await events.expire();
  await events.rewind('slow', 'beginning');
  expect(keysOf(await drain(events, 'slow'))).toEqual(['new']);
  nowMs += 8 * DAY_MS;
  await events.expire();
  expect(segments().map((file) => readFileSync(file).length)).toEqual([0]);
});

it('keeps what is kept for ever, whoever has read it, and no signal of minutes', async () => {
  const events = openTopic(undefined, false, { ...topic, retentionMs: -1 });
  await publish(events, 'a');
  await drain(events, 'store');
  nowMs += 4_000 * DAY_MS;
  await events.expire();
  await events.rewind('store', 'beginning');
  expect(keysOf(await drain(events, 'store'))).toEqual(['a']);
  const kept = [auditCheckpointTopic, auditRecordedTopic, auditDeadLetterTopic, callCancelledTopic, tokenStateTopic];
  expect(kept.map((each) => isKeptForReaders(each))).toEqual([true, true, true, false, false]);
});

it('forgets a group that nobody has handled for its time, over restarts, and lets go of what it held', async () => {
  let events = openTopic();
  await (
    await events.start('gone', async () => {
      throw new Error('never again');
    })
  )();
  await publish(events, 'a');
  await drain(events, 'store');
  nowMs += 4 * DAY_MS;
  events = await reopened(events);
  await events.expire();
  expect(readdirSync(join(dir, topic.name))).toContain('gone.cursor');
  nowMs += 4 * DAY_MS;
  await drain(events, 'store');
  events = await reopened(events);
  await events.expire();
  expect(readdirSync(join(dir, topic.name)).filter((name) => name.endsWith('.cursor'))).toEqual(['store.cursor']);
  expect(said.map(({ message }) => message)).toEqual(['a group that nobody handles is forgotten']);
  await events.expire();
  expect(segments().map((file) => readFileSync(file).length)).toEqual([0]);
});

it('lets a group whose cursor is damaged begin at the beginning', async () => {
  let events = openTopic();
  await publish(events, 'a', 'b');
  await drain(events, 'store');
  await events.close();
  writeFileSync(join(dir, topic.name, 'store.cursor'), 'deadbeef\n{"offset":2,"handledAtMs":1}\n');
  events = openTopic();
  expect(keysOf(await drain(events, 'store'))).toEqual(['a', 'b']);
});

it('refuses what a full disk does not take, and goes on when there is room', async () => {
  await mkdir(join(dir, topic.name));
  const file = join(dir, topic.name, '0000000000000000.events');
  symlinkSync('/dev/full', file);
  const events = openTopic();
  await expect(publish(events, 'a')).rejects.toMatchObject({ reason: 'refused', cause: { code: 'ENOSPC' } });
  rmSync(file);
  await publish(events, 'b');
  expect((await drain(events, 'store')).map(({ key, offset }) => [key, offset])).toEqual([['b', '0']]);
});

it('brings a message that is larger than a chunk, and thousands that are not, in their order', async () => {
  const events = openTopic();
  const large = Buffer.alloc(700_000, 'y');
  await events.publish([{ key: 'large', value: large }], nowMs);
  const keys = Array.from({ length: 5_000 }, (_, index) => `k${index}`);
  await Promise.all(keys.map((key) => publish(events, key)));
  const seen = await drain(events, 'store');
  expect(keysOf(seen)).toEqual(['large', ...keys]);
  expect(seen[0]!.value.equals(large)).toBe(true);
});
