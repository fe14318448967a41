import { ByteBudget } from './byte-budget.js';
import { DeliveryAge } from './delivery-age.js';
import type { DrainHost } from './drain-host.js';
import { FRAME_HEADER_BYTES, FrameKind } from './frame.js';
import { JournalFullError } from './journal-full.js';
import { CLOSE_TIMEOUT_MS, type JournalOptions, SEGMENT_BYTES, SEGMENT_BYTES_MIN } from './journal-options.js';
import { removeDirectory, takeAbandonedDirectories, takeOwnDirectory } from './log-directories.js';
import { drainHostOf } from './open-drain-host.js';
import { type OpenLog, openLog, tellLost, undeliveredOf } from './open-log.js';
import { offsetOf, segmentOf } from './position.js';
import { fitText, INTENT_BYTES_MAX, OUTCOME_BYTES_MAX, RECORD_BYTES_MAX } from './record-text.js';

const ADOPT_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 20;

/** How a text is written. */
export interface WriteOptions {
  /**
   * It counts as written once it is on the disk (fdatasync), and not already in the page cache, which a killed process
   * survives and a power cut does not.
   */
  readonly strict?: boolean | undefined;
  /**
   * It is of a stranger, whom nothing else keeps from filling the journal: it is taken only while such records hold no
   * more than their own bytes of it.
   */
  readonly isOfStranger?: boolean | undefined;
}

/** The node's audit journal: what it took is published exactly once by sequence, at least once by message. */
export interface Journal {
  /** `<node>/<id>`. */
  readonly log: string;
  /**
   * Takes a whole record (JSON object text). Resolves with its sequence once it is written.
   * @throws JournalFullError (as a rejection)
   */
  append(record: string, how?: WriteOptions): Promise<number>;
  /**
   * Takes the half of a record that is known before the act and holds the room for the other half. Nothing may reach
   * the upstream before `written` resolves. Where it rejects, the journal closes the sequence itself, as refused.
   * @throws JournalFullError when there is no room for both halves, or the disk fails
   */
  openIntent(intent: string, how?: WriteOptions): { sequence: number; written: Promise<void> };
  /**
   * Writes the other half; resolves when it is written, however long the disk fails. Never refused for room.
   * @throws JournalFullError (as a rejection) once the journal is closed; the sequence is then recorded as unknown
   */
  closeIntent(sequence: number, outcome: string, how?: WriteOptions): Promise<void>;
  /** Records that are not acknowledged, those of running calls and adopted logs included. */
  undelivered(): number;
  /** Milliseconds since the oldest of them in the node's own log was written, to the second. */
  oldestUndeliveredMs(): number;
  /** Bytes on disk of the node's own log. */
  sizeBytes(): number;
  /** Bytes of the node's own log that wait for their acknowledgement, those that delivered records leave between them too. */
  undeliveredBytes(): number;
  /** Whether the disk fails, so that nothing new is taken. */
  isFailing(): boolean;
  /** Bytes that should have been frames and could not be read, since the journal was opened. */
  damagedBytes(): number;
  /** Stops publishing, after the batch that is on its way. */
  pause(): void;
  resume(): void;
  /**
   * Takes nothing new, waits within a bound for the acknowledgement of what is there, and lets the log go. An intent that
   * is not closed by then stays open.
   */
  close(): Promise<void>;
}

/**
 * Opens the node's journal: goes on with its own log and delivers every log that no process holds any more.
 * @throws RangeError for bounds that hold no record, or the disk's error
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const segmentBytes = options.segmentBytes ?? SEGMENT_BYTES;
  if (segmentBytes < SEGMENT_BYTES_MIN) throw new RangeError(`segmentBytes is below ${SEGMENT_BYTES_MIN}`);
  if (options.sizeMaxBytes < 2 * segmentBytes) throw new RangeError('sizeMaxBytes holds fewer than two segments');
  const journal = new NodeJournal(options);
  journal.adoptAbandoned();
  return journal;
}

class NodeJournal implements Journal {
  private readonly own: OpenLog;
  private readonly adopted = new Set<OpenLog>();
  private readonly host: DrainHost;
  private readonly age = new DeliveryAge();
  private readonly strangers: ByteBudget;
  private readonly timers: NodeJS.Timeout[];
  /** Of adopted logs that are gone. */
  private damageDelivered = 0;
  private isPaused = false;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: JournalOptions) {
    this.strangers = new ByteBudget(options.refusalsMaxBytes ?? options.sizeMaxBytes / 16);
    const own = takeOwnDirectory(options.dir, options.node);
    try {
      this.own = openLog(own, options);
      this.host = drainHostOf(options);
    } catch (error) {
      own.ownership.release();
      throw error;
    }
    this.own.note.onCommit = () => this.committed();
    own.ownership.onLost = () => this.lose();
    this.host.onLost = (name, lost) => {
      const log = [this.own, ...this.adopted].find((each) => each.name === name);
      if (log !== undefined) tellLost(log, lost, options);
    };
    this.noteAge();
    if (options.isPaused) this.pause();
    this.host.add(this.own);
    this.timers = [
      setInterval(() => this.adoptAbandoned(), ADOPT_EVERY_MS).unref(),
      setInterval(() => this.removeDelivered(), LOOK_EVERY_MS * 10).unref(),
    ];
  }

  get log(): string {
    return this.own.name;
  }

  async append(record: string, { strict, isOfStranger = false }: WriteOptions = {}): Promise<number> {
    const text = fitText(record, RECORD_BYTES_MAX);
    const bytes = isOfStranger ? FRAME_HEADER_BYTES + Buffer.byteLength(text) : 0;
    if (isOfStranger && !this.strangers.admits(bytes, this.own.progress.deliveredBelow)) {
      throw new JournalFullError('full', 'the journal has no more room for refusals before identification');
    }
    const { sequence, written } = this.own.writer.begin(FrameKind.record, text, strict);
    if (isOfStranger) this.strangers.took(sequence, bytes);
    await written;
    return sequence;
  }

  openIntent(intent: string, { strict }: WriteOptions = {}): { sequence: number; written: Promise<void> } {
    return this.own.writer.begin(FrameKind.intent, fitText(intent, INTENT_BYTES_MAX), strict);
  }

  async closeIntent(sequence: number, outcome: string, { strict }: WriteOptions = {}): Promise<void> {
    await this.own.writer.end(FrameKind.outcome, sequence, fitText(outcome, OUTCOME_BYTES_MAX), strict);
  }

  undelivered(): number {
    return [this.own, ...this.adopted].reduce((sum, log) => sum + undeliveredOf(log), 0);
  }

  oldestUndeliveredMs(): number {
    return this.age.oldestMs(this.own.progress.delivered, this.options.clock.monotonicMs());
  }

  sizeBytes(): number {
    return this.own.segments.sizeBytes();
  }

  undeliveredBytes(): number {
    const { delivered, committed } = this.own.progress;
    const segments = segmentOf(committed) - segmentOf(delivered);
    return segments * (this.options.segmentBytes ?? SEGMENT_BYTES) + offsetOf(committed) - offsetOf(delivered);
  }

  isFailing(): boolean {
    return this.own.writer.isFailing;
  }

  damagedBytes(): number {
    return [this.own, ...this.adopted].reduce((sum, log) => sum + log.progress.damagedBytes, this.damageDelivered);
  }

  pause(): void {
    this.isPaused = true;
    this.host.setPaused(true);
  }

  resume(): void {
    this.isPaused = false;
    this.host.setPaused(false);
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  /** Takes over every log without an owner; one that cannot be read is said and left for the next time. */
  adoptAbandoned(): void {
    for (const abandoned of takeAbandonedDirectories(this.options.dir)) {
      try {
        const log = openLog(abandoned, this.options);
        log.note.onCommit = () => this.host.wake();
        this.adopted.add(log);
        this.host.add(log);
        this.options.log.info({ log: log.name, records: log.undeliveredAtStart }, 'an abandoned journal is adopted');
      } catch (error) {
        abandoned.ownership.release();
        this.options.log.error({ err: error, log: abandoned.name }, 'an abandoned journal could not be adopted');
      }
    }
  }

  private committed(): void {
    this.noteAge();
    this.host.wake();
  }

  /** Two writers would destroy the log for both: what is taken from now on would be lost, so it is refused. */
  private lose(): void {
    this.options.log.error({ log: this.own.name }, 'another process took the journal over: nothing more is recorded');
    this.own.writer.abandon();
    this.host
      .remove(this.own.name)
      .catch((error: unknown) =>
        this.options.log.error({ err: error, log: this.own.name }, 'a lost journal is still read'),
      );
  }

  private noteAge(): void {
    const { delivered, committed } = this.own.progress;
    this.age.note(delivered, committed, this.options.clock.monotonicMs());
  }

  private removeDelivered(): void {
    for (const log of this.adopted) {
      if (!log.writer.isSettled || log.progress.delivered < log.segments.end) continue;
      // What no checkpoint names could be altered later on without a trace.
      if (log.progress.unnamed > 0) continue;
      this.adopted.delete(log);
      this.damageDelivered += log.progress.damagedBytes;
      log.writer.close();
      this.host
        .remove(log.name)
        .then(() => removeDirectory(this.options.dir, log))
        .catch((error: unknown) =>
          this.options.log.error({ err: error, log: log.name }, 'a delivered journal was not removed'),
        );
    }
  }

  private async shutDown(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.own.writer.stopTaking();
    await this.delivered(this.options.closeTimeoutMs ?? CLOSE_TIMEOUT_MS);
    await this.host.stop();
    for (const log of [this.own, ...this.adopted]) {
      log.writer.close();
      log.ownership.release();
    }
  }

  /** Resolves when all records of ended calls are acknowledged, or at the time-out. */
  private delivered(timeoutMs: number): Promise<void> {
    const { clock } = this.options;
    const endsAtMs = clock.monotonicMs() + timeoutMs;
    const isDone = (): boolean =>
      this.isPaused || undeliveredOf(this.own) <= this.own.writer.openIntents || clock.monotonicMs() >= endsAtMs;
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        if (!isDone()) return;
        clearInterval(timer);
        resolve();
      }, LOOK_EVERY_MS);
    });
  }
}
