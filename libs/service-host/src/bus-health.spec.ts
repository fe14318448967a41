import { createInProcessBus } from '@warder/bus';
import { auditRecordedTopic } from '@warder/contracts';
import { createLogger, Metrics } from '@warder/telemetry';
import { afterEach, expect, it, vi } from 'vitest';
import { measureBus } from './bus-metrics.js';
import { systemClock } from './clock.js';
import { HostSettings } from './host-settings.js';
import { startHost } from './start-host.js';

const log = createLogger('audit', { level: 'silent' });

afterEach(() => void vi.useRealTimers());

it('fails its liveness while a group is stuck at one batch, and says which', async () => {
  let nowMs = 0;
  const clock = { wallMs: () => Date.now(), monotonicMs: () => nowMs };
  const bus = createInProcessBus({ node: 'n', log, clock, handlerMaxMs: 60_000 });
  const settings = HostSettings.parse({ listen: { host: '127.0.0.1', port: 0 }, bus: { kind: 'in-process' } });
  class Nothing {}
  const running = await startHost({ service: 'audit', settings, log, bus, module: () => ({ module: Nothing }) });
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  let isAt = (): void => {};
  const begun = new Promise<void>((resolve) => (isAt = resolve));
  await bus.batch(auditRecordedTopic, 'store', async () => {
    isAt();
    await released;
  });
  const published = bus.publishRaw(auditRecordedTopic, [{ key: 'k', value: Buffer.from('{}') }]);
  await begun;
  nowMs = 60_000;
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
  nowMs = 60_001;
  const failing = await fetch(`${running.url}/healthz`);
  expect(failing.status).toBe(503);
  expect(await failing.json()).toMatchObject({
    failing: { bus: 'group store of warder.audit.recorded.v1 has been at one batch for over 60000 ms' },
  });
  expect((await fetch(`${running.url}/readyz`)).status).toBe(200);
  release();
  await published;
  expect((await fetch(`${running.url}/healthz`)).status).toBe(200);
  await running.stop();
  await bus.close();
});

it('measures how far each group is behind', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const bus = createInProcessBus({ node: 'n', log, clock: systemClock });
  const metrics = new Metrics();
  const stop = measureBus(bus, metrics, log);
  const failing = await bus.batch(auditRecordedTopic, 'store', async () => {
    throw new Error('the database is away');
  });
  const entries = ['a', 'b', 'c'].map((key) => ({ key, value: Buffer.from('{}') }));
  const published = bus.publishRaw(auditRecordedTopic, entries);
  const figure = async (): Promise<string> => {
    await vi.advanceTimersByTimeAsync(15_000);
    return metrics.registry.metrics();
  };
  const labels = '{topic="warder.audit.recorded.v1",group="store"}';
  expect(await figure()).toContain(`warder_bus_lag_records${labels} 3`);
  await failing.stop();
  await bus.batch(auditRecordedTopic, 'store', async () => {});
  await published;
  const caughtUp = await figure();
  expect(caughtUp).toContain(`warder_bus_lag_records${labels} 0`);
  expect(caughtUp).toContain(`warder_bus_lag_seconds${labels} 0`);
  stop();
  await bus.close();
});
