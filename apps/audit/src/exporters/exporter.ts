import type { Bus, GroupLag, RawMessage, Subscription } from '@warder/bus';
import { auditExportDeadLetterTopic, auditRecordedTopic } from '@warder/contracts';
import type { Destination } from './destination.js';
import { ExportBatch, type Letter } from './export-batch.js';
import type { ExporterCounters } from './exporter-counters.js';
import type { ExporterSettings } from './exporters-settings.js';

const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 15_000;
const ERROR_CHARACTERS_MAX = 300;

/** What an exporter needs of its process. */
export interface ExporterHost {
  readonly bus: Bus;
  readonly clock: { wallMs(): number; monotonicMs(): number };
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** How an exporter is, for people and probes. */
export interface ExporterReport {
  readonly name: string;
  readonly kind: ExporterSettings['kind'];
  readonly format: ExporterSettings['format'];
  /** `stopped` while it is being rewound; else what its destination says. */
  readonly status: 'stopped' | 'idle' | 'well' | 'failing';
  /** The newest record that the receiver has taken from this process, and when. */
  readonly lastAcknowledged: { readonly recordId: string; readonly atMs: number } | null;
  /** What waits for it, however long no process has read for it; `null` while the bus does not answer. */
  readonly lag: { readonly records: number; readonly seconds: number } | null;
  /** Why the last attempt failed that did. Never a value of a record. */
  readonly lastError: { readonly message: string; readonly atMs: number } | null;
  /** Records since the start of this process. */
  readonly exported: number;
  readonly deadLetters: number;
}

/**
 * One receiver with a consumer group of its own: what it has not taken is not committed, and its trouble is nobody
 * else's. A failed part is tried again for ever, with a pause that grows to 15 s.
 */
export class Exporter {
  readonly group: string;
  private stopping = new AbortController();
  private subscription: Subscription | undefined;
  /** A rewind and a stop wait for each other. */
  private turn: Promise<unknown> = Promise.resolve();
  private readonly batches = new WeakMap<readonly RawMessage[], ExportBatch>();
  private failures = 0;
  private exported = 0;
  private deadLetters = 0;
  private lastAcknowledged: ExporterReport['lastAcknowledged'] = null;
  private lastError: ExporterReport['lastError'] = null;

  constructor(
    readonly name: string,
    private readonly settings: ExporterSettings,
    private readonly destination: Destination,
    private readonly host: ExporterHost,
    private readonly counters: ExporterCounters,
  ) {
    this.group = `export-${name}`;
  }

  start(): Promise<void> {
    return this.inTurn(() => this.subscribe());
  }

  /** Ends after the attempt that is under way was given up; what was not taken stays with the bus. */
  stop(): Promise<void> {
    return this.inTurn(async () => {
      await this.unsubscribe();
      await this.destination.close();
    });
  }

  /**
   * Exports again from a time on, in wall milliseconds, or all that the topic still holds.
   * @throws BusError `refused` while another process reads for this exporter, `deadline` when the bus does not answer
   */
  rewind(to: number | 'beginning'): Promise<void> {
    return this.inTurn(async () => {
      await this.unsubscribe();
      try {
        await this.host.bus.rewind(auditRecordedTopic, this.group, to);
      } finally {
        await this.subscribe();
      }
      this.host.log.info({ exporter: this.name, to }, 'an exporter was rewound');
    });
  }

  async report(): Promise<ExporterReport> {
    const lag = await this.lag();
    return {
      name: this.name,
      kind: this.settings.kind,
      format: this.settings.format,
      status: this.subscription === undefined ? 'stopped' : this.destination.state().status,
      lastAcknowledged: this.lastAcknowledged,
      lag: lag && { records: lag.records, seconds: lag.ms / 1_000 },
      lastError: this.lastError,
      exported: this.exported,
      deadLetters: this.deadLetters,
    };
  }

  /** Measures how far the exporter is behind and tells the metrics; `null` while the bus does not answer. */
  async lag(): Promise<GroupLag | null> {
    try {
      const lag = await this.host.bus.lag(auditRecordedTopic, this.group);
      this.counters.lag(this.name, lag);
      return lag;
    } catch (error) {
      this.host.log.info({ exporter: this.name, err: error }, 'the lag of an exporter is not known');
      return null;
    }
  }

  private async subscribe(): Promise<void> {
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    this.subscription = await this.host.bus.batch(auditRecordedTopic, this.group, (messages) =>
      this.take(messages, signal),
    );
  }

  private async unsubscribe(): Promise<void> {
    this.stopping.abort();
    await this.subscription?.stop();
    this.subscription = undefined;
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => {});
    return done;
  }

  /** Returns when everything of the batch is settled; throws after a pause when not, and the bus hands it in again. */
  private async take(messages: readonly RawMessage[], signal: AbortSignal): Promise<void> {
    let batch = this.batches.get(messages);
    if (batch === undefined) {
      batch = new ExportBatch(messages);
      this.batches.set(messages, batch);
      this.counters.add(this.name, 'unreadable', batch.unreadable);
    }
    try {
      await this.sendRest(batch, signal);
    } catch (error) {
      if (!signal.aborted) this.fail(error);
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.failures, 20), LAST_PAUSE_MS);
      await pause(pauseMs, signal);
      throw error;
    }
  }

  private async sendRest(batch: ExportBatch, signal: AbortSignal): Promise<void> {
    const { batchRecordsMax, batchBytesMax, sendTimeoutMs } = this.settings;
    await this.writeLetters(batch.letters);
    for (;;) {
      signal.throwIfAborted();
      const part = batch.part(batchRecordsMax, batchBytesMax);
      if (part.length === 0) return;
      const limit = AbortSignal.any([signal, AbortSignal.timeout(sendTimeoutMs)]);
      const refused = await this.destination.send(part, limit);
      batch.settle(part, refused);
      this.succeed(part.length - refused.length, part.at(-1)!.key);
      await this.writeLetters(batch.letters);
    }
  }

  private async writeLetters(letters: Letter[]): Promise<void> {
    for (let letter = letters[0]; letter !== undefined; letter = letters[0]) {
      const { record, reason, message } = letter;
      const { partition, offset } = message;
      const place = { topic: auditRecordedTopic.name, partition, offset };
      const words = { exporter: this.name, recordId: record.key, reason: shortened(reason) };
      const atMs = this.host.clock.wallMs();
      await this.host.bus.publish(auditExportDeadLetterTopic, record.key, { ...words, ...place, atMs });
      letters.shift();
      this.deadLetters++;
      this.counters.add(this.name, 'dead-letter', 1);
      this.host.log.warn({ ...words, ...place }, 'a receiver refuses a record for good');
    }
  }

  private succeed(taken: number, recordId: string): void {
    if (this.failures > 0) this.host.log.info({ exporter: this.name, failures: this.failures }, 'an exporter goes on');
    this.failures = 0;
    this.exported += taken;
    this.counters.add(this.name, 'exported', taken);
    this.lastAcknowledged = { recordId, atMs: this.host.clock.wallMs() };
  }

  private fail(error: unknown): void {
    const message = shortened(error instanceof Error ? error.message : String(error));
    this.lastError = { message, atMs: this.host.clock.wallMs() };
    this.counters.add(this.name, 'failed-attempt', 1);
    // An outage is one line, not one for each try.
    if (this.failures++ === 0)
      this.host.log.warn({ exporter: this.name, reason: message }, 'a receiver takes nothing now; the topic keeps it');
  }
}

/** Words of a receiver may be long and hold anything; a line of ours holds neither. */
function shortened(words: string): string {
  // oxlint-disable-next-line no-control-regex -- exactly these would forge a line
  return words.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').slice(0, ERROR_CHARACTERS_MAX);
}

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, delayMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
