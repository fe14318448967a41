import type { Bus, RawEntry } from '@warder/bus';
import { auditRecordedTopic } from '@warder/contracts';
import type { RecordGenerator } from './generated-records.js';

/** Records of one message batch: what an ingress node at full load drains in a few hundredths of a second. */
const BATCH = 250;

/** Publishes so many records of the present, as fast as the broker takes them. */
export async function publishRecords(bus: Bus, generator: RecordGenerator, count: number): Promise<void> {
  for (let left = count; left > 0; left -= BATCH) await publishBatch(bus, generator, Math.min(BATCH, left));
}

/**
 * Publishes at a steady rate, whether the readers follow or not, until it is stopped.
 * @returns ends it, and resolves with the number of records that were acknowledged
 */
export function publishSteadily(bus: Bus, generator: RecordGenerator, perSecond: number): () => Promise<number> {
  const stopping = new AbortController();
  const running = steadily(bus, generator, perSecond, stopping.signal);
  // Who waits for the measurement hears of a failure when it ends this.
  running.catch(() => {});
  return async () => {
    stopping.abort();
    return running;
  };
}

async function steadily(bus: Bus, generator: RecordGenerator, perSecond: number, stop: AbortSignal): Promise<number> {
  const fromMs = performance.now();
  let sent = 0;
  while (!stop.aborted) {
    const due = Math.floor(((performance.now() - fromMs) * perSecond) / 1_000) - sent;
    if (due < Math.min(BATCH, perSecond / 20)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      continue;
    }
    const count = Math.min(due, BATCH);
    await publishBatch(bus, generator, count);
    sent += count;
  }
  return sent;
}

function publishBatch(bus: Bus, generator: RecordGenerator, count: number): Promise<void> {
  const atMs = Date.now();
  const entries: RawEntry[] = Array.from({ length: count }, () => generator.next(atMs));
  return bus.publishRaw(auditRecordedTopic, entries);
}
