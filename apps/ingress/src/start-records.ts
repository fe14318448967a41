import { readFileSync } from 'node:fs';
import { auditRecordedTopic } from '@warder/contracts';
import { type Journal, type JournalDrain, type KafkaDrainOptions, openJournal } from '@warder/journal';
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
    drain: drainOf(settings.drain, host),
    log: host.log,
    clock: host.clock,
  });
  if (settings.isDrainPaused) journal.pause();
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

function drainOf(settings: IngressConfig['journal']['drain'], host: Host): JournalDrain {
  if (settings.kind === 'bus') {
    return { kind: 'publish', publish: (entries) => host.bus.publishRaw(auditRecordedTopic, entries) };
  }
  const { brokers, sasl, tls } = settings;
  const options: KafkaDrainOptions = { node: host.node, service: host.service, brokers };
  return {
    kind: 'kafka',
    options: {
      ...options,
      ...(sasl === undefined ? {} : { sasl }),
      ...(tls === undefined ? {} : { tls: tls.caFile === undefined ? true : { ca: readFileSync(tls.caFile) } }),
    },
  };
}
