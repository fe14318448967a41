import type { Bus } from '@warder/bus';
import type { Logger, Metrics } from '@warder/telemetry';

const ASK_EVERY_MS = 15_000;

/** Counts messages that were not taken for their writer's. */
function countRefused(bus: Bus, metrics: Metrics): void {
  const refused = metrics.counter('warder_bus_messages_refused_total', 'Messages that were not taken', [
    'topic',
    'reason',
  ]);
  bus.onRefused(({ topic, reason }) => refused.inc({ topic, reason }));
}

/**
 * Keeps two figures for each durable group that this process handles: how many messages and how many seconds it is
 * behind, as of the last 15 s; and counts the messages that the bus refused. While the bus does not answer they are absent, for the last ones would be a lie.
 * @returns stops it
 */
export function measureBus(bus: Bus, metrics: Metrics, log: Logger): () => void {
  countRefused(bus, metrics);
  const labels = ['topic', 'group'];
  const records = metrics.gauge('warder_bus_lag_records', 'Messages that a durable group has not committed', labels);
  const seconds = metrics.gauge('warder_bus_lag_seconds', 'Age of the oldest message that is not committed', labels);
  let isAsking = false;
  const ask = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    for (const { topic, group } of bus.groups()) {
      const of = { topic: topic.name, group };
      try {
        const lag = await bus.lag(topic, group);
        records.set(of, lag.records);
        seconds.set(of, lag.ms / 1_000);
      } catch (error) {
        log.debug({ err: error, ...of }, 'the lag of a group cannot be told now');
        records.remove(of);
        seconds.remove(of);
      }
    }
    isAsking = false;
  };
  const timer = setInterval(() => void ask(), ASK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
