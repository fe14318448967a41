import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import { callCancelledTopic } from '@warder/contracts';
import { expect, it } from 'vitest';
import { createKafkaBus } from './kafka-bus.js';

it('closes within its bound while a broker takes connections and never answers', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const bus = createKafkaBus({
    node: 'n',
    service: 'ingress',
    brokers: [`127.0.0.1:${(silent.address() as AddressInfo).port}`],
    log: { debug() {}, info() {}, warn() {}, error() {} },
    clock: { wallMs: () => Date.now(), monotonicMs: () => performance.now() },
  });
  await bus.watch(callCancelledTopic, 'end', () => {});
  const startedAtMs = performance.now();
  await bus.close();
  expect(performance.now() - startedAtMs).toBeLessThan(6_000);
  silent.close();
}, 15_000);
