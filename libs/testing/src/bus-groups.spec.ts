import type { Subscription } from '@warder/bus';
import { describe, expect, it, vi } from 'vitest';
import { EVERY_BUS, LASTING_BUSES, eventTopic, eventually, token } from './bus.scene.js';

describe.each(EVERY_BUS)('a durable group of the %s bus', (_name, start) => {
  it('brings a durable group every message once its handler succeeds, and again while it fails', async () => {
    const { bus } = await start();
    const topic = eventTopic();
    const seen: number[] = [];
    let failures = 2;
    await bus.subscribe(topic, 'readers', async ({ key, value }) => {
      expect(key).toBe('k');
      seen.push(value.version);
      if (value.version === 2 && failures-- > 0) throw new Error('not yet');
    });
    await Promise.all([1, 2, 3].map((version) => bus.publish(topic, 'k', token(version))));
    await eventually(() => expect(seen).toEqual([1, 2, 2, 2, 3]));
  });

  it('keeps what a stopped group did not commit for the next handler of that group', async () => {
    const { bus, another } = await start();
    const topic = eventTopic();
    let attempts = 0;
    const first = await bus.batch(topic, 'store', async () => {
      attempts += 1;
      throw new Error('the database is away');
    });
    const published = bus.publishRaw(topic, [{ key: 'a', value: Buffer.from('{"n":1}') }]);
    await eventually(() => expect(attempts).toBeGreaterThan(0));
    await first.stop();
    const seen: string[] = [];
    const second = await another().batch(topic, 'store', async (batch) => {
      for (const { value } of batch) seen.push(value.toString());
    });
    await published;
    await eventually(() => expect(seen).toEqual(['{"n":1}']));
    await second.stop();
  });

  it('of two topics is brought both, whatever their partitions', async () => {
    const { bus } = await start();
    const topics = [1, 2].map(() => ({ ...eventTopic(), partitions: 4 }));
    const seen: string[] = [];
    for (const topic of topics) {
      await bus.batch(topic, 'store', async (batch) => {
        for (const { key } of batch) seen.push(`${topic.name} ${key}`);
      });
    }
    const sent = topics.flatMap((topic) => Array.from({ length: 8 }, (_, index) => ({ topic, key: `k${index}` })));
    for (const { topic, key } of sent) await bus.publishRaw(topic, [{ key, value: Buffer.from('{}') }]);
    await eventually(() =>
      expect(seen.toSorted()).toEqual(sent.map(({ topic, key }) => `${topic.name} ${key}`).toSorted()),
    );
  });

  it('tells how far a group is behind, in messages and in time', async () => {
    const { bus, another } = await start();
    const topic = { ...eventTopic(), partitions: 2 };
    const entries = Array.from({ length: 4 }, (_, index) => ({ key: `k${index}`, value: Buffer.from('{}') }));
    const group = await bus.batch(topic, 'slow', async () => {
      throw new Error('not now');
    });
    const published = [bus.publishRaw(topic, entries), bus.publishRaw(topic, entries)];
    await eventually(async () => expect(await another().lag(topic, 'slow')).toMatchObject({ records: 8 }));
    await eventually(async () => expect((await another().lag(topic, 'slow')).ms).toBeGreaterThan(500));
    expect((await another().lag(topic, 'slow')).ms).toBeLessThan(30_000);
    await group.stop();
    await bus.batch(topic, 'slow', async () => {});
    await Promise.all(published);
    await eventually(async () => expect(await another().lag(topic, 'slow')).toEqual({ records: 0, ms: 0 }));
  });

  it('has a stopped group begin again at a time or at the beginning, and refuses one that has a handler', async () => {
    const { bus, another } = await start();
    const topic = { ...eventTopic(), partitions: 2 };
    const seen: string[] = [];
    const take = (): Promise<Subscription> =>
      bus.batch(topic, 'siem', async (batch) => {
        for (const { key } of batch) seen.push(key!);
      });
    const first = await take();
    await bus.publishRaw(topic, [{ key: 'a', value: Buffer.from('{}') }]);
    await eventually(() => expect(seen).toEqual(['a']));
    const afterMs = Date.now();
    await vi.waitUntil(() => Date.now() > afterMs, { interval: 1 });
    const betweenMs = Date.now();
    await bus.publishRaw(topic, [{ key: 'b', value: Buffer.from('{}') }]);
    await eventually(() => expect(seen).toEqual(['a', 'b']));
    await expect(another().rewind(topic, 'siem', 'beginning')).rejects.toMatchObject({ reason: 'refused' });
    await first.stop();

    await another().rewind(topic, 'siem', betweenMs);
    const second = await take();
    await eventually(() => expect(seen).toEqual(['a', 'b', 'b']));
    await second.stop();
    await another().rewind(topic, 'siem', 'beginning');
    await take();
    await eventually(() => expect(seen.toSorted()).toEqual(['a', 'a', 'b', 'b', 'b']));
    await eventually(async () => expect(await bus.lag(topic, 'siem')).toEqual({ records: 0, ms: 0 }));
  });
});

describe.each(LASTING_BUSES)('a durable group of the %s bus', (_name, start) => {
  it('that is slow delays neither the publisher nor another group', async () => {
    const { bus } = await start();
    const topic = eventTopic();
    const seen: string[] = [];
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    const slow: string[] = [];
    await bus.batch(topic, 'slow', async (batch) => {
      await released;
      for (const { key } of batch) slow.push(key!);
    });
    await bus.batch(topic, 'quick', async (batch) => {
      for (const { key } of batch) seen.push(key!);
    });
    const keys = Array.from({ length: 100 }, (_, index) => `k${index}`);
    for (const key of keys) await bus.publishRaw(topic, [{ key, value: Buffer.from('{}') }]);
    await eventually(() => expect(seen).toEqual(keys));
    expect(slow).toEqual([]);
    expect(await bus.lag(topic, 'slow')).toMatchObject({ records: 100 });
    release();
    await eventually(() => expect(slow).toEqual(keys));
  });
});
