import { type Frame, FRAME_HEADER_BYTES, FrameKind, putFrame, readFrame } from './frame.js';
import { JournalFullError } from './journal-full.js';
import type { JournalLog } from './journal-options.js';
import { REFUSED_OUTCOME } from './record-text.js';
import type { SegmentStore } from './segment-store.js';

const TICK_BYTES = 1 << 20;
const RETRY_AFTER_MS = 100;

/** A promise and its ends. */
interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Appends the frames of one log. All frames of a tick of the event loop share one write to the page cache. Where the
 * disk fails, the frames are kept and tried again, and nothing new is taken in the meantime.
 */
export class LogWriter {
  private readonly tick = Buffer.allocUnsafeSlow(TICK_BYTES);
  private tickBytes = 0;
  private tickFirstSequence: number;
  private isScheduled = false;
  /** Settles with the frames that belong to sequences of this tick, and the other with those that close older ones. */
  private opened: Deferred | undefined;
  private closed: Deferred | undefined;
  private readonly open = new Set<number>();
  private backlog: Buffer[] = [];
  private backlogWritten: Deferred | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private isTaking = true;
  private isClosed = false;
  /** Called when frames were written. */
  onCommit: () => void = () => {};

  constructor(
    private readonly segments: SegmentStore,
    private readonly log: JournalLog,
    private nextSequence: number,
  ) {
    this.tickFirstSequence = nextSequence;
  }

  /** The sequence number that the next record gets. */
  get next(): number {
    return this.nextSequence;
  }

  /**
   * Takes a whole record, or an intent whose outcome's room is held from here on.
   * @throws JournalFullError when there is no room, or the disk fails
   */
  begin(
    kind: typeof FrameKind.intent | typeof FrameKind.record,
    text: string,
  ): { sequence: number; written: Promise<void> } {
    if (!this.isTaking) throw new JournalFullError('closed', 'the journal is closed');
    if (this.retryTimer !== undefined) throw new JournalFullError('disk', 'the journal waits for its disk');
    const frameBytes = FRAME_HEADER_BYTES + Buffer.byteLength(text);
    const isIntent = kind === FrameKind.intent;
    this.admit(frameBytes, this.open.size + (isIntent ? 1 : 0));
    const sequence = this.nextSequence++;
    if (isIntent) this.open.add(sequence);
    this.put(kind, sequence, text);
    this.opened ??= deferred();
    return { sequence, written: this.opened.promise };
  }

  /**
   * Closes an open intent, in the room that it holds; resolves once the frame is written, however long the disk fails.
   * @throws JournalFullError once the log is closed: it may be another process's by now, which closes the intent itself
   */
  end(kind: typeof FrameKind.outcome | typeof FrameKind.unknown, sequence: number, text: string): Promise<void> {
    if (this.isClosed) throw new JournalFullError('closed', 'the journal is closed');
    if (!this.open.delete(sequence)) throw new Error(`the journal holds no open intent ${sequence}`);
    const frameBytes = FRAME_HEADER_BYTES + Buffer.byteLength(text);
    if (this.retryTimer === undefined) this.makeRoom(frameBytes);
    if (this.retryTimer !== undefined) return this.keep(kind, sequence, text);
    this.put(kind, sequence, text);
    if (sequence >= this.tickFirstSequence) return (this.opened ??= deferred()).promise;
    return (this.closed ??= deferred()).promise;
  }

  /** Intents without an outcome. */
  get openIntents(): number {
    return this.open.size;
  }

  /** Holds the room of an intent that an earlier process opened. */
  adoptOpen(sequence: number): void {
    this.open.add(sequence);
  }

  /** Writes what the tick holds now. */
  flush(): void {
    const { opened, closed, tickBytes } = this;
    if (tickBytes === 0) return;
    this.opened = this.closed = undefined;
    this.tickBytes = 0;
    try {
      this.segments.write(this.tick, tickBytes);
    } catch (error) {
      this.keepTick(tickBytes, error as Error, opened, closed);
      return;
    }
    this.tickFirstSequence = this.nextSequence;
    opened?.resolve();
    closed?.resolve();
    this.onCommit();
  }

  /** Takes nothing new from here on; intents that are open can still be closed. */
  stopTaking(): void {
    this.isTaking = false;
  }

  /** Writes what is there and lets go of the files; intents that are open stay so for recovery. */
  close(): void {
    if (this.isClosed) return;
    this.flush();
    clearTimeout(this.retryTimer);
    this.writeBacklog();
    this.abandon();
  }

  /** Lets go of the files as they are. What was not written never will be, and whoever waits for it is told. */
  abandon(): void {
    this.isTaking = false;
    this.isClosed = true;
    clearTimeout(this.retryTimer);
    this.tickBytes = 0;
    const error = new JournalFullError('closed', 'the journal is closed');
    for (const waiting of [this.opened, this.closed, this.backlogWritten]) waiting?.reject(error);
    this.segments.close();
  }

  private admit(frameBytes: number, openIntents: number): void {
    let isAdmitted: boolean;
    try {
      isAdmitted = this.segments.admits(this.tickBytes, frameBytes, openIntents);
    } catch (error) {
      throw new JournalFullError('disk', 'the disk has no room for the journal', { cause: error });
    }
    if (!isAdmitted) throw new JournalFullError('full', 'the journal is full');
    this.makeRoom(frameBytes);
    if (this.retryTimer !== undefined) throw new JournalFullError('disk', 'the journal could not be written');
  }

  /** Sees that the frame stands in the tick and the tick in the segment. Leaves a retry behind where the disk fails. */
  private makeRoom(frameBytes: number): void {
    const fitsSegment = this.segments.fits(this.tickBytes, frameBytes);
    if (fitsSegment && this.tickBytes + frameBytes <= TICK_BYTES) return;
    this.flush();
    if (fitsSegment || this.retryTimer !== undefined) return;
    try {
      this.segments.roll(this.nextSequence);
    } catch (error) {
      this.waitForDisk(error as Error);
    }
  }

  private put(kind: FrameKind, sequence: number, text: string): void {
    this.tickBytes = putFrame(this.tick, this.tickBytes, kind, sequence, text);
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      this.flush();
    });
  }

  /**
   * Keeps the frames of a tick that could not be written. What it opened is refused to its callers, so it is closed
   * here: when the disk works again, the record tells of the refusal.
   */
  private keepTick(tickBytes: number, error: Error, opened: Deferred | undefined, closed: Deferred | undefined): void {
    for (let at = 0, frame: Frame | undefined; at < tickBytes; at = frame.end) {
      frame = readFrame(this.tick, at)!;
      this.backlog.push(Buffer.from(this.tick.subarray(at, frame.end)));
      if (frame.kind !== FrameKind.intent || !this.open.delete(frame.sequence)) continue;
      void this.keep(FrameKind.outcome, frame.sequence, REFUSED_OUTCOME);
    }
    this.tickFirstSequence = this.nextSequence;
    this.backlogWritten ??= deferred();
    if (closed) {
      void this.backlogWritten.promise.then(
        () => closed.resolve(),
        (failure: Error) => closed.reject(failure),
      );
    }
    opened?.reject(new JournalFullError('disk', 'the journal could not be written', { cause: error }));
    this.waitForDisk(error);
  }

  private keep(kind: FrameKind, sequence: number, text: string): Promise<void> {
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + Buffer.byteLength(text));
    putFrame(frame, 0, kind, sequence, text);
    this.backlog.push(frame);
    this.backlogWritten ??= deferred();
    return this.backlogWritten.promise;
  }

  private waitForDisk(error: Error): void {
    this.log.error({ error }, 'the journal could not be written');
    this.segments.reopen();
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.writeBacklog(), RETRY_AFTER_MS);
  }

  private writeBacklog(): void {
    const { backlogWritten } = this;
    try {
      for (let frame = this.backlog[0]; frame !== undefined; frame = this.backlog[0]) {
        if (!this.segments.fits(0, frame.length)) this.segments.roll(this.nextSequence);
        this.segments.write(frame, frame.length);
        this.backlog.shift();
      }
    } catch (error) {
      this.waitForDisk(error as Error);
      return;
    }
    this.retryTimer = undefined;
    this.backlogWritten = undefined;
    backlogWritten?.resolve();
    this.onCommit();
  }
}

function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  // Whoever does not look at it (a record of a refusal) must not end the process.
  promise.catch(() => {});
  return { promise, resolve, reject };
}
