import { type KeyObject, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Bus,
  type BusClock,
  type BusLog,
  createInProcessBus,
  createKafkaBus,
  type EventBounds,
  type KafkaBusOptions,
  type Signer,
  type Signing,
} from '@warder/bus';
import { type Topic, type TokenState, tokenStateTopic } from '@warder/contracts';
import { afterEach, vi } from 'vitest';
import { sharedKafka } from './kafka-shared.js';

const log: BusLog = { debug() {}, info() {}, warn() {}, error() {} };
const clock: BusClock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const open: Bus[] = [];
const directories: string[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()));
  for (const dir of directories.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A directory of this test. */
export function temporaryDirectory(): string {
  const dir = mkdtempSync(join(tmpdir(), 'warder-bus-'));
  directories.push(dir);
  return dir;
}

export function inProcessBus(events?: EventBounds, handlerMaxMs?: number): Bus {
  const bus = createInProcessBus({
    node: 'standalone',
    log,
    clock,
    ...(events && { events }),
    ...(handlerMaxMs && { handlerMaxMs }),
  });
  open.push(bus);
  return bus;
}

export function kafkaBus(brokers: string[], options: Partial<KafkaBusOptions> = {}): Bus {
  const bus = createKafkaBus({ node: 'ingress-1', service: 'ingress', brokers, log, clock, ...options });
  open.push(bus);
  return bus;
}

/** What a bus signs by, and whom it believes: nobody, unless the test says otherwise. */
export function signingOf(signer?: Signer, registrars: readonly KeyObject[] = []): Signing {
  return { signer: () => signer, registrars, validFromMs: () => 0, known: Promise.resolve() };
}

/** A topic of its own for each test, because the broker is shared. */
export function stateTopic(partitions = 1): Topic<TokenState> {
  return { ...tokenStateTopic, name: `warder.test-${randomUUID()}.state.v1`, partitions };
}

export function eventTopic(): Topic<TokenState> {
  return { ...stateTopic(), cleanup: 'delete', retentionMs: 3_600_000 };
}

export function token(version: number, status: TokenState['status'] = 'active'): TokenState {
  return { ...tokenStateTopic.example, version, status };
}

export const eventually = (check: () => void | Promise<void>, timeout = 15_000): Promise<void> =>
  vi.waitFor(check, { timeout, interval: 20 });

export const eventBounds = (dir: string): EventBounds => ({
  dir,
  topicBytesMax: 268_435_456,
  groupKeptMs: 604_800_000,
});

type Start = () => Promise<{ bus: Bus; another: (clock?: BusClock) => Bus }>;

const onDisk: [string, Start] = [
  'in-process, with a directory,',
  async () => {
    const bus = inProcessBus(eventBounds(temporaryDirectory()));
    return { bus, another: () => bus };
  },
];

const kafka: [string, Start] = [
  'Kafka',
  async () => {
    const brokers = await sharedKafka();
    const another = (ofNode = clock): Bus => kafkaBus(brokers, { node: 'ingress-2', clock: ofNode });
    return { bus: kafkaBus(brokers), another };
  },
];

/** The buses on which an acknowledged event waits for its readers. */
export const LASTING_BUSES = [onDisk, kafka];

/** Each implementation by its name, with how a test starts it: `another` is a second node's bus, where there can be one. */
export const EVERY_BUS: [string, Start][] = [
  [
    'in-process',
    async () => {
      const bus = inProcessBus();
      return { bus, another: () => bus };
    },
  ],
  ...LASTING_BUSES,
];
