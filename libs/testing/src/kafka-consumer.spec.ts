import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { TokenState, Topic } from '@warder/contracts';
import { expect, it } from 'vitest';
import { eventTopic, eventually, inProcessBus, kafkaBus, signingOf, temporaryDirectory, token } from './bus.scene.js';
import { startKafkaBroker } from './kafka-broker.js';
import { KafkaRequest, startKafkaProxy } from './kafka-proxy.js';
import { sharedKafka } from './kafka-shared.js';

const host = fileURLToPath(new URL('../../service-host', import.meta.url));

/** What is no key has the check of a signature throw a TypeError, out of the handler that kafkajs calls. */
const NO_KEY = 42 as unknown as KeyObject;

/** Events of the registrar, signed. */
function signedTopic(): Topic<TokenState> {
  return { ...eventTopic(), isSigned: true, writers: ['credentials'] };
}

/** Publishes one message with a signature, and answers the key that it is checked with. */
async function publishSigned(brokers: string[], topic: Topic<TokenState>): Promise<KeyObject> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const owner = kafkaBus(brokers, { node: 'owner', signing: signingOf({ key: privateKey }) });
  await owner.publish(topic, 'k', token(1));
  return publicKey;
}

const CONSUMER = `
const [host, bus, telemetry, settings] = process.argv.slice(2);
const { exitOnFatal, systemClock } = await import(host);
const { createKafkaBus } = await import(bus);
const { createLogger } = await import(telemetry);
const { brokers, topic } = JSON.parse(settings);
const log = createLogger('audit', { level: 'info' });
exitOnFatal(log);
const made = createKafkaBus({ node: 'audit-1', service: 'audit', brokers, log, clock: systemClock, signing: { registrars: [42], known: Promise.resolve() } });
await made.batch(topic, 'store', async () => {});
`;

it('ends the process, with one line, when the consumer of a durable group crashes of a bug', async () => {
  const brokers = await sharedKafka();
  const topic = signedTopic();
  execFileSync(join(host, '../../node_modules/.bin/tsc'), ['-b', host], { stdio: 'inherit' });
  const program = join(temporaryDirectory(), 'consumer.mjs');
  writeFileSync(program, CONSUMER);
  const built = (name: string): string => join(host, '..', name, 'dist/index.js');
  const settings = JSON.stringify({ brokers, topic: { ...topic, schema: undefined } });
  const files = [built('service-host'), built('bus'), built('telemetry')];
  await publishSigned(brokers, topic);
  const child = spawn(process.execPath, [program, ...files, settings], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = (await once(child, 'exit')) as [number];
  const lines = (await output).join('').trim().split('\n');
  expect({ code, furtherLines: lines.slice(1) }).toEqual({ code: 1, furtherLines: [] });
  expect(lines[0]).toContain(`the consumer of ${topic.name} crashed`);
  expect(lines[0]).toContain('TypeError');
}, 60_000);

it('goes on without a word to the process when a watcher’s consumer crashes, and reads what came meanwhile', async () => {
  const brokers = await sharedKafka();
  const topic = signedTopic();
  const registrars = [NO_KEY];
  const crashes: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (_: object, message: string) => void crashes.push(message) };
  const bus = kafkaBus(brokers, { signing: { ...signingOf(), registrars }, log });
  const seen: number[] = [];
  await bus.watch(topic, 'beginning', ({ value }) => seen.push(value.version));
  const publicKey = await publishSigned(brokers, topic);
  await eventually(() => expect(crashes.length).toBeGreaterThan(1), 30_000);
  expect(new Set(crashes)).toEqual(new Set(['a consumer crashed, a new one is built']));
  registrars[0] = publicKey;
  await eventually(() => expect(seen).toEqual([1]), 30_000);
}, 90_000);

it('tells a consumer that fetches nothing while the broker answers, and takes it back when it does', async () => {
  const proxy = await startKafkaProxy();
  const broker = await startKafkaBroker({ advertisedPort: proxy.port });
  proxy.target(Number(broker.brokers[0]!.split(':')[1]));
  // Longer than a broker that was started again takes, on a busy machine, until it has the group again.
  const stuckBounds = { handlerMaxMs: 600_000, fetchSilentMaxMs: 8_000 };
  const bus = kafkaBus([`127.0.0.1:${proxy.port}`], { stuckBounds });
  const topic = eventTopic();
  const seen: number[] = [];
  await bus.subscribe(topic, 'store', async ({ value }) => void seen.push(value.version));
  await bus.publish(topic, 'k', token(1));
  await eventually(() => expect(seen).toEqual([1]));
  expect(bus.stuck()).toBeUndefined();

  proxy.judge((request) => (request === KafkaRequest.fetch ? 'hold' : 'forward'));
  await eventually(
    () => expect(bus.stuck()).toContain('has fetched nothing for over 8000 ms while the broker answers'),
    30_000,
  );
  expect(bus.isConnected()).toBe(true);
  proxy.judge(() => 'forward');
  await eventually(() => expect(bus.stuck()).toBeUndefined(), 40_000);

  // A broker that is away is no stuck consumer, for however long, and none is one at once when it comes back.
  const said = new Set<string | undefined>();
  await broker.kill();
  await eventually(() => expect(bus.isConnected()).toBe(false), 20_000);
  const watching = setInterval(() => said.add(bus.stuck()), 20);
  await broker.restart();
  await eventually(async () => bus.publish(topic, 'k', token(2)), 30_000);
  await eventually(() => expect(seen).toEqual([1, 2]), 30_000);
  clearInterval(watching);
  expect([...said]).toEqual([undefined]);
  await bus.close();
  await broker.stop();
  await proxy.stop();
}, 150_000);

it.each([
  ['in-process', async () => inProcessBus(undefined, 200)],
  [
    'Kafka',
    async () => kafkaBus(await sharedKafka(), { stuckBounds: { handlerMaxMs: 200, fetchSilentMaxMs: 60_000 } }),
  ],
])(
  'tells on the %s bus a handler that has been at one batch for too long, and not one that fails',
  async (_, start) => {
    const bus = await start();
    const topic = eventTopic();
    let release = (): void => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    let failures = 0;
    const group = await bus.batch(topic, 'store', async () => {
      if (failures++ < 4) throw new Error('the database is away');
      await released;
    });
    const published = bus.publishRaw(topic, [{ key: 'k', value: Buffer.from('{}') }]);
    await eventually(() => expect(failures).toBe(4));
    expect(bus.stuck()).toBeUndefined();
    await eventually(() => expect(bus.stuck()).toContain('has been at one batch for over 200 ms'));
    expect(bus.groups().map(({ topic: { name }, group: of }) => [name, of])).toEqual([[topic.name, 'store']]);
    release();
    await published;
    await eventually(() => expect(bus.stuck()).toBeUndefined());
    await group.stop();
    expect(bus.groups()).toEqual([]);
  },
);
