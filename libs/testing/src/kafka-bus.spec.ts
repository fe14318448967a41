import { auditRecordedTopic, nodeAppliedTopic } from '@warder/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { EVERY_BUS, eventTopic, eventually, inProcessBus, kafkaBus, stateTopic, token } from './bus.scene.js';
import { type KafkaBroker, startKafkaBroker } from './kafka-broker.js';
import { sharedKafka } from './kafka-shared.js';

describe.each(EVERY_BUS)('the %s bus', (_name, start) => {
  it('publishes what is published in parallel, each exactly once', async () => {
    const { bus } = await start();
    const topic = eventTopic();
    const seen: string[] = [];
    await bus.batch(topic, 'store', async (batch) => {
      for (const { key } of batch) seen.push(key!);
    });
    const keys = Array.from({ length: 2_000 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => bus.publishRaw(topic, [{ key, value: Buffer.from('{}') }])));
    await eventually(() => expect(seen).toHaveLength(2_000));
    expect(new Set(seen).size).toBe(2_000);
  });

  it('replicates state, lets a revoked value win over a stale one, and is ready after the marker', async () => {
    const { bus, another } = await start();
    const topic = stateTopic(3);
    await bus.publish(topic, 'a', token(1));
    await bus.publish(topic, 'a', token(3, 'revoked'));
    await bus.publish(topic, 'a', token(2));
    await bus.own(topic);
    const applied: string[] = [];
    const replica = await another().replica(topic, (key, { version, status }) =>
      applied.push(`${key} ${version} ${status}`),
    );
    await replica.ready;
    expect(replica.isReady()).toBe(true);
    expect(applied.at(-1)).toBe('a 3 revoked');
    await bus.publish(topic, 'a', token(2));
    await bus.publish(topic, 'b', token(1));
    await eventually(() => expect(applied.at(-1)).toBe('b 1 active'));
    expect(applied).not.toContain('a 2 active');
  });

  it('is not ready while no owner answers, and tells how long the owner has been silent', async () => {
    const { bus, another } = await start();
    const topic = stateTopic();
    const replica = await another().replica(topic, () => {});
    expect(replica.isReady()).toBe(false);
    expect(replica.staleMs(Date.now())).toBe(Infinity);
    await bus.own(topic);
    await replica.ready;
    expect(replica.staleMs(Date.now())).toBeLessThan(5_000);
    expect(replica.staleMs(Date.now() + 900_000)).toBeGreaterThanOrEqual(900_000);
  });

  it('makes every replica of one node ready, also when two modules replicate the same topic', async () => {
    const { bus, another } = await start();
    const topic = stateTopic();
    const reader = another();
    const replicas = await Promise.all([reader.replica(topic, () => {}), reader.replica(topic, () => {})]);
    await bus.own(topic);
    await Promise.all(replicas.map(({ ready }) => ready));
    expect(replicas.map((replica) => replica.isReady())).toEqual([true, true]);
  });

  it('waits until every node has applied a version', async () => {
    const { bus, another } = await start();
    const topic = stateTopic();
    const other = another();
    const service = 'ingress';
    bus.applied(topic, 7);
    other.applied(topic, 6);
    // A node is waited for once it has said anything; this lets both speak.
    await other.everyNodeApplied(topic, service, 6, 10_000);
    expect(await bus.everyNodeApplied(topic, service, 7, 1_500)).toBe(false);
    other.applied(topic, 7);
    bus.applied(topic, 7);
    expect(await bus.everyNodeApplied(topic, service, 7, 10_000)).toBe(true);
  });

  it('does not take what one node says in the name of another', async () => {
    const { bus, another } = await start();
    const topic = stateTopic();
    const other = another();
    other.applied(topic, 6);
    await other.everyNodeApplied(topic, 'ingress', 6, 10_000);
    const forged = {
      ...nodeAppliedTopic.example,
      node: other.node,
      atMs: Date.now() + 1,
      applied: { [topic.name]: 7 },
    };
    await bus.publish(nodeAppliedTopic, 'liar', forged);
    if (bus !== other) bus.applied(topic, 7);
    expect(await bus.everyNodeApplied(topic, 'ingress', 7, 1_500)).toBe(false);
  });

  it('waits until every node has read all that the owner sent, in every partition and in each of its replicas', async () => {
    const { bus, another } = await start();
    const topic = stateTopic(3);
    await expect(bus.everyNodeRead(topic, 'ingress', 1_000)).rejects.toMatchObject({ reason: 'refused' });
    await bus.own(topic);
    const nodes = [bus, bus, another()];
    const read: string[][] = nodes.map(() => []);
    const replicas = await Promise.all(nodes.map((node, at) => node.replica(topic, (key) => read[at]!.push(key))));
    await Promise.all(replicas.map(({ ready }) => ready));
    const keys = Array.from({ length: 30 }, (_, index) => `k${index}`).toSorted();
    await Promise.all(keys.map((key) => bus.publish(topic, key, token(1))));
    expect(await bus.everyNodeRead(topic, 'ingress', 20_000)).toBe(true);
    expect(read.map((each) => each.toSorted())).toEqual(nodes.map(() => keys));
  }, 60_000);

  it('answers and waits for a node that comes back with its clock set back', async () => {
    const { bus, another } = await start();
    const topic = stateTopic();
    await bus.own(topic);
    const before = await another().replica(topic, () => {});
    await before.ready;
    const wallMs = (): number => Date.now() - 3_600_000;
    const late = another({ wallMs, monotonicMs: () => performance.now() });
    const replicas = [await bus.replica(topic, () => {}), await late.replica(topic, () => {})];
    await Promise.all(replicas.map(({ ready }) => ready));
    late.applied(nodeAppliedTopic, 1);
    expect(await bus.everyNodeApplied(nodeAppliedTopic, 'ingress', 2, 1_500)).toBe(false);
    await bus.publish(topic, 'a', token(1));
    expect(await bus.everyNodeRead(topic, 'ingress', 20_000)).toBe(true);
  }, 60_000);

  it('does not pass over a node that has not read what was sent', async () => {
    const { bus, another } = await start();
    const topic = stateTopic();
    await bus.own(topic);
    another().applied(topic, 1);
    expect(await bus.everyNodeRead(topic, 'ingress', 1_500)).toBe(false);
  });

  it('watches from the end without the past, and from the beginning with it', async () => {
    const { bus } = await start();
    const topic = eventTopic();
    await bus.publish(topic, 'a', token(1));
    const fromEnd: number[] = [];
    const fromBeginning: number[] = [];
    await bus.watch(topic, 'end', ({ value }) => fromEnd.push(value.version));
    await bus.watch(topic, 'beginning', ({ value }) => fromBeginning.push(value.version));
    await bus.publish(topic, 'a', token(2));
    await eventually(() => expect(fromBeginning).toEqual([1, 2]));
    await eventually(() => expect(fromEnd).toEqual([2]));
  });
});

describe('the in-process bus', () => {
  it('acknowledges an audit record only after a durable group has committed it', async () => {
    const bus = inProcessBus();
    let isAcknowledged = false;
    const published = bus
      .publishRaw(auditRecordedTopic, [{ key: 'r', value: Buffer.from('{}') }])
      .then(() => (isAcknowledged = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAcknowledged).toBe(false);
    await bus.batch(auditRecordedTopic, 'store', async () => {});
    await published;
  });

  it('rejects what nobody has committed when it closes', async () => {
    const bus = inProcessBus();
    const published = bus.publishRaw(auditRecordedTopic, [{ key: 'r', value: Buffer.from('{}') }]);
    const outcome = published.catch((error: unknown) => error);
    await bus.close();
    expect(await outcome).toMatchObject({ reason: 'closed' });
  });
});

describe('the Kafka bus and an outage', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await startKafkaBroker();
    return () => broker.stop();
  });

  it('puts each raw batch into one partition, and the next one into another', async () => {
    const bus = kafkaBus(await sharedKafka());
    const topic = { ...eventTopic(), partitions: 3 };
    const batches = ['a', 'b', 'c', 'd'].map((batch) => Array.from({ length: 20 }, (_, at) => `${batch}${at}`));
    const partitionsOf = new Map<string, Set<number>>();
    await bus.batch(topic, 'store', async (batch) => {
      for (const { key, partition } of batch) {
        const name = key!.slice(0, 1);
        partitionsOf.set(name, (partitionsOf.get(name) ?? new Set()).add(partition));
      }
    });
    for (const keys of batches)
      await bus.publishRaw(
        topic,
        keys.map((key) => ({ key, value: Buffer.from('{}') })),
      );
    await eventually(() => expect(partitionsOf.size).toBe(4));
    expect([...partitionsOf.values()].map((each) => each.size)).toEqual([1, 1, 1, 1]);
    expect(new Set([...partitionsOf.values()].flatMap((each) => [...each])).size).toBe(3);
  });

  it('handles several partitions at once, each in its order, and commits nothing that a handler still has', async () => {
    const bus = kafkaBus(await sharedKafka());
    const topic = { ...eventTopic(), partitions: 3 };
    const sent = ['a', 'b', 'c'].map((name) => Array.from({ length: 20 }, (_, at) => `${name}${at}`));
    for (const keys of sent)
      await bus.publishRaw(
        topic,
        keys.map((key) => ({ key, value: Buffer.from('{}') })),
      );
    const held = new Set<number>();
    let giveUp = (): void => {};
    const givenUp = new Promise<never>((_resolve, reject) => (giveUp = () => reject(new Error('given up'))));
    givenUp.catch(() => {});
    const bounds = { messagesMax: 5, partitionsAtOnce: 3 };
    const holding = await bus.batch(
      topic,
      'store',
      async (batch) => {
        held.add(batch[0]!.partition);
        await givenUp;
      },
      bounds,
    );
    await eventually(() => expect(held.size).toBe(3));
    expect((await bus.lag(topic, 'store')).records).toBe(60);
    const stopped = holding.stop();
    giveUp();
    await stopped;
    const seen: string[][] = [[], [], []];
    await bus.batch(
      topic,
      'store',
      async (batch) => {
        expect(batch.length).toBeLessThanOrEqual(5);
        for (const { key, partition } of batch) seen[partition]!.push(key!);
      },
      bounds,
    );
    await eventually(async () => expect((await bus.lag(topic, 'store')).records).toBe(0));
    expect(seen.toSorted((one, other) => (one[0]! < other[0]! ? -1 : 1))).toEqual(sent);
  }, 60_000);

  it('starts without a broker, rejects at its deadline, and is whole again after kill -9 and a restart', async () => {
    const topic = stateTopic();
    const events = eventTopic();
    const owner = kafkaBus(broker.brokers, { node: 'identity', service: 'identity', bounds: { deadlineMs: 2_000 } });
    await owner.publish(topic, 'a', token(1));
    await owner.own(topic);
    const committed: number[] = [];
    await owner.subscribe(events, 'readers', async ({ value }) => void committed.push(value.version));
    await owner.publish(events, 'a', token(1));
    await eventually(() => expect(committed).toEqual([1]));

    await broker.kill();
    await expect(owner.publish(topic, 'a', token(2))).rejects.toMatchObject({ reason: 'deadline' });
    const applied: number[] = [];
    const late = kafkaBus(broker.brokers, { node: 'ingress-9' });
    const replica = await late.replica(topic, (_key, { version }) => applied.push(version));
    expect(replica.isReady()).toBe(false);
    expect(late.isConnected()).toBe(false);

    await broker.restart();
    await eventually(() => expect(replica.isReady()).toBe(true), 20_000);
    expect(late.isConnected()).toBe(true);
    await eventually(async () => owner.publish(topic, 'a', token(3)));
    await eventually(() => expect(applied.at(-1)).toBe(3), 5_000);
    await owner.publish(events, 'a', token(2));
    await eventually(() => expect(committed.at(-1)).toBe(2), 20_000);
  }, 60_000);

  it('keeps every acknowledged message of many publishers over kill -9 and a restart', async () => {
    const topic = eventTopic();
    const bus = kafkaBus(broker.brokers, { bounds: { deadlineMs: 20_000 } });
    const stored = new Set<string>();
    await bus.batch(topic, 'store', async (batch) => {
      for (const { key } of batch) stored.add(key!);
    });
    const acknowledged: string[] = [];
    const publishers = Array.from({ length: 20 }, async (_, publisher) => {
      for (let index = 0; index < 100; index += 1) {
        const key = `${publisher}/${index}`;
        await bus.publishRaw(topic, [{ key, value: Buffer.from('{}') }]);
        acknowledged.push(key);
      }
    });
    await eventually(() => expect(acknowledged.length).toBeGreaterThan(100));
    await broker.kill();
    expect(acknowledged.length).toBeLessThan(2_000);
    await broker.restart();
    await Promise.all(publishers);
    await eventually(() => expect(stored.size).toBe(2_000));
  }, 60_000);
});
