import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { createKafkaClient } from '@warder/bus';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KafkaBroker, startKafkaBroker } from './kafka-broker.js';
import { kafkaJava } from './kafka-java.js';
import { classPathOf, resolveKafkaLibs } from './kafka-libs.js';

const log = { debug() {}, info() {}, warn() {}, error() {} };
const TOPIC = 'warder.test.v1';
const NOT_THERE = '#!/bin/sh\necho "not here" >&2\nexit 127\n';

/**
 * Plays the engine: a container is a process group of its own whose standard input ends with the client, as the
 * engine's does that was told `-i`, and which finds the jars where the image has them.
 */
const engine = (java: string, classPath: string) => `#!${process.execPath}
const { spawn } = require('node:child_process');
const { readFileSync, rmSync, writeFileSync } = require('node:fs');
const [verb, ...words] = process.argv.slice(2);
const file = (name) => __dirname + '/' + name + '.pid';
if (verb === 'info') process.exit(0);
if (verb === 'rm') {
  const pid = Number(readFileSync(file(words.at(-1)), 'utf8'));
  try { process.kill(-pid, 'SIGKILL'); } catch {}
  process.exit(0);
}
if (verb !== 'run' || !words.includes('-i') || !words.includes('--rm')) process.exit(125);
const at = words.indexOf('--entrypoint') + 1;
writeFileSync(__dirname + '/image', words[at + 1]);
const inside = words.slice(at + 2).map((word) => (word === '/opt/kafka/libs/*' ? ${JSON.stringify(classPath)} : word));
const env = { PATH: ${JSON.stringify(`${dirname(java)}:/usr/bin:/bin`)} };
const container = spawn(words[at], inside, { stdio: ['pipe', 'inherit', 'inherit'], detached: true, env });
writeFileSync(file(words[words.indexOf('--name') + 1]), String(container.pid));
process.stdin.pipe(container.stdin);
process.on('SIGTERM', () => container.kill('SIGTERM'));
container.on('exit', (code) => process.exit(code ?? 137));
`;

let dir: string;
let libs: string;
let java: string;
let broker: KafkaBroker | undefined;
beforeEach(async () => {
  libs = await classPathOf(await resolveKafkaLibs());
  java = execFileSync('sh', ['-c', 'command -v java'], { encoding: 'utf8' }).trim();
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'warder-docker-')));
  vi.stubEnv('TMPDIR', dir);
  vi.stubEnv('PATH', `${dir}:${process.env.PATH ?? ''}`);
  command('java', NOT_THERE);
  command('mvn', NOT_THERE);
});
afterEach(async () => {
  await broker?.stop();
  broker = undefined;
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

function command(name: string, text: string): void {
  writeFileSync(join(dir, name), text);
  chmodSync(join(dir, name), 0o755);
}

/** Processes that work in the directory of this test. */
function processes(): string[] {
  const all = execFileSync('ps', ['-eo', 'pid=,args='], { encoding: 'utf8' }).split('\n');
  return all.filter((line) => line.includes(dir) && !line.includes('<defunct>'));
}

async function send(value: string): Promise<void> {
  const producer = createKafkaClient({ node: 'test', brokers: broker!.brokers, log }).producer();
  await producer.connect();
  await producer.send({ topic: TOPIC, messages: [{ value }] });
  await producer.disconnect();
}

async function received(count: number): Promise<string[]> {
  const consumer = createKafkaClient({ node: 'test', brokers: broker!.brokers, log }).consumer({
    groupId: `g${count}`,
  });
  const values: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }) => void values.push(String(message.value)) });
  await vi.waitFor(() => expect(values).toHaveLength(count), { timeout: 60_000 });
  await consumer.disconnect();
  return values;
}

describe('the jars of Kafka', () => {
  it('name no class of Kafka that is not among them, for one that is met late leaves a broker half alive', () => {
    const jars = libs.split(':').filter((jar) => /^kafka[-_]/.test(basename(jar)));
    expect(jars.length).toBeGreaterThan(10);
    const options = ['--multi-release', '17', '--missing-deps', '-cp', libs];
    const lines = execFileSync('jdeps', [...options, ...jars], { encoding: 'utf8' }).split('\n');
    const missing = lines.filter((line) => line.includes('not found')).map((line) => line.trim().split(/\s+/)[2] ?? '');
    expect(missing.length).toBeGreaterThan(0);
    expect(missing.filter((name) => name.startsWith('org.apache.kafka.'))).toEqual([]);
  }, 120_000);
});

describe('Kafka where there is no Java', () => {
  it('is named in one sentence with every way to have it, where there is no Docker either', async () => {
    command('docker', NOT_THERE);
    const failure = await kafkaJava().catch((error: Error) => error.message);
    expect(failure).toMatch(/^No Kafka for the tests: [^\n]*KAFKA_BROKERS[^\n]*Java 17 and Maven[^\n]*Docker[^\n]*\.$/);
  });

  it('runs in a container of the image of docker-compose.yml, keeps its data over a kill -9 and leaves nothing', async () => {
    command('docker', engine(java, libs));
    broker = await startKafkaBroker({ dataDir: join(dir, 'kafka-data') });
    expect(readFileSync(join(dir, 'image'), 'utf8')).toMatch(/^apache\/kafka:\d/);
    const admin = createKafkaClient({ node: 'test', brokers: broker.brokers, log }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: TOPIC }], waitForLeaders: true });
    await admin.disconnect();
    await send('before');
    await broker.kill();
    await broker.restart();
    await send('after');
    expect(await received(2)).toEqual(['before', 'after']);
    expect(processes().some((line) => line.includes('kafka.Kafka'))).toBe(true);
    // No restart tidies up after this one: the container goes because its client has gone.
    await broker.kill();
    await vi.waitFor(() => expect(processes()).toEqual([]), { timeout: 60_000 });
  }, 180_000);
});
