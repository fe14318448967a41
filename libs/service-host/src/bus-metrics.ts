import type { Bus } from '@warder/bus';
import type { Logger, Metrics } from '@warder/telemetry';

const ASK_EVERY_MS = 15_000;

/**
 * Keeps two figures for each durable group that this process handles: how many messages and how many seconds it is
 * behind, as of the last 15 s. While the bus does not answer they are absent, for the last ones would be a lie.
 * @returns stops it
 */
export function measureLag(bus: Bus, metrics: Metrics, log: Logger): () => void {
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
