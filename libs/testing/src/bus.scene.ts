import { randomUUID } from 'node:crypto';
import { type Bus, type BusLog, createInProcessBus, createKafkaBus, type KafkaBusOptions } from '@warder/bus';
import { type Topic, type TokenState, tokenStateTopic } from '@warder/contracts';
import { afterEach, vi } from 'vitest';
import { sharedKafka } from './kafka-shared.js';

const log: BusLog = { debug() {}, info() {}, warn() {}, error() {} };
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const open: Bus[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()));
});

export function inProcessBus(): Bus {
  const bus = createInProcessBus({ node: 'standalone', log, clock });
  open.push(bus);
  return bus;
}

export function kafkaBus(brokers: string[], options: Partial<KafkaBusOptions> = {}): Bus {
  const bus = createKafkaBus({ node: 'ingress-1', service: 'ingress', brokers, log, clock, ...options });
  open.push(bus);
  return bus;
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

/** Each implementation by its name, with how a test starts it: `another` is a second node's bus, where there can be one. */
export const BOTH_BUSES: [string, () => Promise<{ bus: Bus; another: () => Bus }>][] = [
  [
    'in-process',
    async () => {
      const bus = inProcessBus();
      return { bus, another: () => bus };
    },
  ],
  [
    'Kafka',
    async () => {
      const brokers = await sharedKafka();
      return { bus: kafkaBus(brokers), another: () => kafkaBus(brokers, { node: 'ingress-2' }) };
    },
  ],
];
