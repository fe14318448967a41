import { auditRecordedTopic } from '@warder/contracts';
import { type Journal, type JournalDrain, openJournal } from '@warder/journal';
import type { Host } from '@warder/service-host';
import type { IngressConfig } from './ingress-config.js';
import { RefusalCounter } from './record/refusal-counter.js';

export interface StartedRecords {
  readonly journal: Journal;
  readonly counter: RefusalCounter;
}

/** Opens the node's journal and begins to count what is refused before anyone is identified. */
export async function startRecords(config: IngressConfig, host: Host): Promise<StartedRecords> {
  const { journal: settings, limits } = config;
  const journal = await openJournal({
    dir: settings.dir,
    node: host.node,
    sizeMaxBytes: settings.sizeMaxBytes,
    ...(settings.segmentBytes === undefined ? {} : { segmentBytes: settings.segmentBytes }),
    syncEveryMs: settings.syncEveryMs,
    drain: drainOf(host),
    isPaused: settings.isDrainPaused,
    log: host.log,
    clock: host.clock,
  });
  const bounds = { windowMs: limits.refusalWindowMs, recordsPerWindowMax: limits.refusalRecordsPerWindowMax };
  const counter = new RefusalCounter(
    host.node,
    bounds,
    () => host.clock.wallMs(),
    (record) => journal.append(record),
  );
  const lost = host.metrics.counter(
    'warder_uncounted_refusals_total',
    'Refusals whose record the journal did not take',
  );
  const flush = async () => {
    const count = await counter.flush();
    if (count === 0) return;
    lost.inc(count);
    host.log.error({ count }, 'refusals before identification could not be recorded');
  };
  const timer = setInterval(() => void flush(), limits.refusalWindowMs).unref();
  host.onDrain('journal', () => journal.close());
  host.onDrain('counted refusals', async () => {
    clearInterval(timer);
    await flush();
  });
  return { journal, counter };
}

// Beside the calls, in a thread of its own, where there is a broker to reach; the bus of one process is in this thread.
function drainOf({ broker, bus, node, service }: Host): JournalDrain {
  if (broker !== undefined) return { kind: 'kafka', options: { node, service, ...broker } };
  return { kind: 'publish', publish: (entries) => bus.publishRaw(auditRecordedTopic, entries) };
}
