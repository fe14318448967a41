import { auditCheckpointTopic, auditRecordedTopic } from '@warder/contracts';
import { type CheckpointOptions, type Journal, type JournalDrain, openJournal } from '@warder/journal';
import type { Host } from '@warder/service-host';
import type { IngressConfig } from './ingress-config.js';
import { DroppingJournal } from './record/dropping-journal.js';
import type { JournalWriter } from './record/recorder.js';
import { RefusalCounter } from './record/refusal-counter.js';

/** Milliseconds between two attempts to tell of dropped records. */
const TELL_EVERY_MS = 1_000;

export interface StartedRecords {
  readonly journal: Journal;
  /** The journal as calls write it: with what becomes of them when it is full. */
  readonly writer: JournalWriter;
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
    refusalsMaxBytes: settings.refusalsMaxBytes,
    drain: drainOf(host),
    checkpoints: checkpointsOf(host, settings.checkpointEveryMs),
    isPaused: settings.isDrainPaused,
    log: host.log,
    clock: host.clock,
  });
  const dropped = host.metrics.counter('warder_dropped_records_total', 'Records that the journal had no room for');
  const writer = new DroppingJournal({
    node: host.node,
    journal,
    dropsWhenFull: settings.onFull === 'drop-and-count',
    wallMs: () => host.clock.wallMs(),
    onDropped: (count) => dropped.inc(count),
  });
  const uncounted = host.metrics.counter(
    'warder_uncounted_refusals_total',
    'Refusals whose record the journal did not take',
  );
  const counter = new RefusalCounter(
    host.node,
    { windowMs: limits.refusalWindowMs, recordsPerWindowMax: limits.refusalRecordsPerWindowMax },
    () => host.clock.wallMs(),
    (record) => journal.append(record, { isOfStranger: true }),
    (code, count) => {
      uncounted.inc(count);
      writer.count(code, count);
    },
  );
  // From wherever it came: who may write there is who the broker lets in.
  host.bus.onRefused(({ topic, reason, writer }) => {
    const detail = writer === undefined ? reason : `${reason}, with the certificate of ${writer}`;
    counter.count('WDR_MESSAGE_REFUSED', topic, detail);
  });
  const tell = async (): Promise<void> => {
    const count = await writer.tell();
    if (count > 0) host.log.error({ count }, 'records were dropped, and the journal has no room to tell of it yet');
  };
  const timers = [
    setInterval(() => void counter.flush(), limits.refusalWindowMs).unref(),
    setInterval(() => void tell(), TELL_EVERY_MS).unref(),
  ];
  host.onDrain('journal', () => journal.close());
  host.onDrain('counted refusals', async () => {
    for (const timer of timers) clearInterval(timer);
    await counter.flush();
    await tell();
  });
  return { journal, writer, counter };
}

// Beside the calls, in a thread of its own, where there is a broker to reach; the bus of one process is in this thread.
function drainOf({ broker, bus, node, service }: Host): JournalDrain {
  if (broker !== undefined) return { kind: 'kafka', options: { node, service, ...broker } };
  return {
    kind: 'publish',
    publish: (entries) => bus.publishRaw(auditRecordedTopic, entries),
    publishCheckpoint: (entry) => bus.publishRaw(auditCheckpointTopic, [entry]),
  };
}

function checkpointsOf({ signingKey, log }: Host, everyMs: number): CheckpointOptions | undefined {
  if (signingKey !== undefined) return { privateKey: signingKey, everyMs };
  log.warn(
    'bus.signing names no key: the heads of the audit log are not signed, and nobody can prove what stands in it',
  );
  return undefined;
}
