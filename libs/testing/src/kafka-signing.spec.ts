import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createKafkaClient, type MessageRefused, type Signer } from '@warder/bus';
import { EVERY_TOPIC, isSignedTopic, REGISTRAR, type ServiceName, type Topic } from '@warder/contracts';
import { certificateOf, textOfKey } from '@warder/leases';
import { describe, expect, it } from 'vitest';
import { eventually, kafkaBus, signingOf, stateTopic, token } from './bus.scene.js';
import { sharedKafka } from './kafka-shared.js';

const DAY_MS = 86_400_000;
const registrar = generateKeyPairSync('ed25519');

function enrolled(node: string, service: ServiceName, by = registrar.privateKey): Signer {
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const times = { issuedAtMs: Date.now() - DAY_MS, expiresAtMs: Date.now() + DAY_MS };
  return { key, certificate: certificateOf({ node, service, identity: textOfKey(key), ...times }, by) };
}

/** The topic's contract under a name of its own, because the broker is shared. */
const copyOf = (topic: Topic<unknown>): Topic<unknown> => ({ ...topic, name: `${topic.name}.${randomUUID()}` });

describe.each(EVERY_TOPIC.filter(isSignedTopic).map((topic) => [topic.name, topic] as const))(
  '%s',
  (_name, contract) => {
    it('gives readers what its writer signed, and refuses and tells of all else', async () => {
      const brokers = await sharedKafka();
      const topic = copyOf(contract);
      const service = topic.writers[0]!;
      const signer = service === REGISTRAR ? { key: registrar.privateKey } : enrolled('n-1', service);
      const writer = (signing?: Signer) =>
        kafkaBus(brokers, { node: 'n-1', service, ...(signing && { signing: signingOf(signing) }) });
      const value = Buffer.from(JSON.stringify(topic.example));
      const genuine = writer(signer);
      await writer().publishRaw(topic, [{ key: 'n-1', value }]);
      await writer(enrolled('n-1', service, generateKeyPairSync('ed25519').privateKey)).publishRaw(topic, [
        { key: 'n-1', value },
      ]);
      await genuine.publishRaw(topic, [{ key: 'n-1', value }]);
      const client = createKafkaClient({
        node: 'broker',
        brokers,
        log: { debug() {}, info() {}, warn() {}, error() {} },
      });
      await tamperWithLast(client, topic.name);
      await genuine.publishRaw(topic, [{ key: 'n-1', value }]);

      const refused: MessageRefused[] = [];
      const taken: string[] = [];
      const reader = kafkaBus(brokers, { node: 'reader', signing: signingOf(undefined, [registrar.publicKey]) });
      reader.onRefused((each) => refused.push(each));
      await reader.watch({ ...topic }, 'beginning', ({ key }) => taken.push(key));
      await eventually(() => expect(taken).toHaveLength(2));
      expect(refused.map(({ topic: name, reason }) => [name === topic.name, reason])).toEqual([
        [true, 'unsigned'],
        [true, 'certificate-wrong'],
        [true, 'signature-wrong'],
      ]);
    });
  },
);

/** Writes the last message once more, as a broker that lies could: with its headers, and one byte of it another. */
async function tamperWithLast(client: ReturnType<typeof createKafkaClient>, topic: string): Promise<void> {
  const consumer = client.consumer({ groupId: `tamper-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const last = await new Promise<{ key: Buffer; value: Buffer; headers: Record<string, Buffer> }>((resolve) => {
    void consumer.run({
      eachMessage: async ({ message }) => {
        if (message.offset === '2') resolve(message as never);
      },
    });
  });
  await consumer.disconnect();
  const producer = client.producer();
  await producer.connect();
  const value = Buffer.concat([last.value, Buffer.from(' ')]);
  await producer.send({ topic, messages: [{ ...last, value }] });
  await producer.disconnect();
}

describe('a replica', () => {
  it('refuses and tells of a version that comes again after a newer one, and of nothing that it reads twice', async () => {
    const brokers = await sharedKafka();
    const topic = { ...stateTopic(), writers: [REGISTRAR] };
    const signing = signingOf({ key: registrar.privateKey }, [registrar.publicKey]);
    const owner = kafkaBus(brokers, { node: 'credentials-1', service: REGISTRAR, signing });
    const applied: number[] = [];
    const refused: MessageRefused[] = [];
    owner.onRefused((each) => refused.push(each));
    await owner.replica(topic, (_key, { version }) => void applied.push(version));
    for (const version of [1, 2, 2, 1, 3]) await owner.publish(topic, 'a', token(version));
    await eventually(() => expect(applied).toEqual([1, 2, 3]));
    expect(refused).toEqual([{ topic: topic.name, reason: 'version-old' }]);
  });

  it('leaves one line in the log of a flood, and goes on', async () => {
    const brokers = await sharedKafka();
    const topic = { ...stateTopic(), writers: [REGISTRAR] };
    await kafkaBus(brokers, { node: 'forger' }).publishRaw(
      topic,
      Array.from({ length: 1_000 }, (_, n) => ({ key: `k${n}`, value: Buffer.from(JSON.stringify(token(9))) })),
    );
    const lines: string[] = [];
    const log = { debug() {}, info() {}, warn() {}, error: (_: object, message: string) => void lines.push(message) };
    const signing = signingOf({ key: registrar.privateKey }, [registrar.publicKey]);
    const owner = kafkaBus(brokers, { node: 'credentials-1', service: REGISTRAR, signing, log });
    let count = 0;
    owner.onRefused(() => (count += 1));
    const applied: number[] = [];
    await owner.replica(topic, (_key, { version }) => void applied.push(version));
    await owner.publish(topic, 'a', token(1));
    await eventually(() => expect(applied).toEqual([1]));
    expect(count).toBe(1_000);
    expect(lines.filter((line) => line.startsWith('messages were not taken'))).toHaveLength(1);
  });
});

it('writes nothing that is signed before it is enrolled, and then does', async () => {
  const topic = { ...stateTopic(), writers: ['identity' as const] };
  const signing = { ...signingOf(undefined, [registrar.publicKey]), signer: (): Signer | undefined => undefined };
  const bounds = { deadlineMs: 500 };
  const bus = kafkaBus(await sharedKafka(), { node: 'identity-1', service: 'identity', signing, bounds });
  await expect(bus.publish(topic, 'a', token(1))).rejects.toMatchObject({ reason: 'deadline' });
  const published = bus.publish(topic, 'a', token(1));
  signing.signer = () => enrolled('identity-1', 'identity');
  await published;
});
