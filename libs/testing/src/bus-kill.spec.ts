import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Bus } from '@warder/bus';
import type { TokenState, Topic } from '@warder/contracts';
import { beforeAll, expect, it } from 'vitest';
import { eventBounds, eventTopic, eventually, inProcessBus, kafkaBus, temporaryDirectory } from './bus.scene.js';
import { sharedKafka } from './kafka-shared.js';

const bus_ = fileURLToPath(new URL('../../bus', import.meta.url));

/** Publishes and commits as fast as it can, and notes what was acknowledged (`A`) and taken (`T`) before it says so. */
const PUBLISHER = `
import { openSync, writeSync } from 'node:fs';
const [built, settings, ledgerPath] = process.argv.slice(2);
const { kind, topic, round, ...options } = JSON.parse(settings);
const { createInProcessBus, createKafkaBus } = await import(built);
const ledger = openSync(ledgerPath, 'a');
const note = (line) => writeSync(ledger, line + '\\n');
const log = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const bus = (kind === 'kafka' ? createKafkaBus : createInProcessBus)({ node: 'publisher-' + round, service: 'ingress', log, clock, ...options });
await bus.batch(topic, 'store', async (batch) => {
  for (const { key } of batch) note('T ' + key);
});
async function publisher(name) {
  for (let index = 0; ; index++) {
    const key = round + '/' + name + '/' + index;
    await bus.publishRaw(topic, [{ key, value: Buffer.from(JSON.stringify({ key, padding: 'x'.repeat(Math.random() * 4000 | 0) })) }]);
    note('A ' + key);
  }
}
await Promise.all(Array.from({ length: 10 }, (_, name) => publisher(name)));
`;

beforeAll(() => {
  execFileSync(join(bus_, '../../node_modules/.bin/tsc'), ['-b', bus_], { stdio: 'inherit' });
});

interface Ledger {
  acknowledged: string[];
  taken: Set<string>;
}

function readLedger(file: string): Ledger {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const of = (kind: string): string[] => lines.filter((line) => line.startsWith(kind)).map((line) => line.slice(2));
  return { acknowledged: of('A '), taken: new Set(of('T ')) };
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  expect(child.signalCode).toBe('SIGKILL');
}

it.each([
  ['in-process', 6, async (dir: string) => ({ kind: 'in-process', events: eventBounds(dir) })],
  ['Kafka', 2, async () => ({ kind: 'kafka', brokers: await sharedKafka() })],
] as const)(
  'the %s bus delivers every acknowledged event after kill -9 of who published and of who read',
  async (_name, rounds, settingsOf) => {
    const dir = temporaryDirectory();
    const settings = await settingsOf(dir);
    const topic: Topic<TokenState> = eventTopic();
    const program = join(dir, 'publisher.mjs');
    const ledgerFile = join(dir, 'ledger');
    writeFileSync(program, PUBLISHER);
    for (let round = 0; round < rounds; round += 1) {
      const before = readLedger(ledgerFile).acknowledged.length;
      const options = JSON.stringify({ ...settings, topic: { ...topic, schema: undefined }, round });
      const built = join(bus_, 'dist/index.js');
      const child = spawn(process.execPath, [program, built, options, ledgerFile], { stdio: 'inherit' });
      await eventually(() => expect(readLedger(ledgerFile).acknowledged.length).toBeGreaterThan(before + 200), 30_000);
      await end(child);
    }
    const { acknowledged, taken } = readLedger(ledgerFile);
    const open: Bus = 'brokers' in settings ? kafkaBus([...settings.brokers]) : inProcessBus(settings.events);
    const read = async (group: string, seen: string[]): Promise<void> => {
      await open.batch(topic, group, async (batch) => void seen.push(...batch.map(({ key }) => key!)));
      await eventually(async () => expect((await open.lag(topic, group)).records).toBe(0), 30_000);
    };
    const rest: string[] = [];
    await read('store', rest);
    const all: string[] = [];
    await read('siem', all);
    const known = new Set([...taken, ...rest]);
    expect(acknowledged.filter((key) => !known.has(key))).toEqual([]);
    const kept = new Set(all);
    expect(acknowledged.filter((key) => !kept.has(key))).toEqual([]);
    // Whoever was killed had committed: the cursor is not where it was at the first start.
    expect(rest.length).toBeLessThan(all.length);
  },
  120_000,
);
