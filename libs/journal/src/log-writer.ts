import { FRAME_HEADER_BYTES, FrameKind } from './frame.js';
import { FrameBacklog } from './frame-backlog.js';
import { GroupSync } from './group-sync.js';
import type { JournalFiles } from './journal-files.js';
import { JournalFullError } from './journal-full.js';
import type { JournalLog } from './journal-options.js';
import { REFUSED_OUTCOME } from './record-text.js';
import { type SegmentStore, syncSegments, type Unsynced } from './segment-store.js';
import type { SyncedNote } from './synced-note.js';
import { type Mark, UnsyncedFrames } from './unsynced-frames.js';
import { deferred, type Deferred, WriteWaiters } from './write-batch.js';

const RETRY_AFTER_MS = 100;
/** Frames that wait for a slow disk; past it nothing new is taken. */
const UNSYNCED_BYTES_MAX = 33_554_432;

export interface LogWriterParts {
  readonly segments: SegmentStore;
  readonly note: SyncedNote;
  readonly files: JournalFiles;
  readonly log: JournalLog;
  /** Milliseconds after which written bytes are on the disk at the latest, and the time of one sync. */
  readonly syncEveryMs: number;
}

/** What one sync puts on the disk. */
interface SyncTask {
  readonly unsynced: Unsynced;
  readonly mark: Mark;
  readonly nextSequence: number;
}

/**
 * Appends the frames of one log. All frames of a tick of the event loop share one write to the page cache, and all ticks
 * until the disk is free share one sync. Frames are kept in memory until they are synced: where the disk fails, at a
 * write or at a sync, they are written again to a new segment, and nothing new is taken until those are on the disk.
 */
export class LogWriter {
  private readonly frames = new UnsyncedFrames();
  private readonly sync: GroupSync<SyncTask>;
  private tickFirstSequence: number;
  private isScheduled = false;
  private readonly waiters = new WriteWaiters();
  private readonly open = new Set<number>();
  private readonly backlog = new FrameBacklog();
  /** Set while the disk fails: done once everything that it failed is on the disk. */
  private recovered: Deferred | undefined;
  private retryTimer: NodeJS.Timeout | undefined;
  private isTaking = true;
  private isClosed = false;

  constructor(
    private readonly parts: LogWriterParts,
    private nextSequence: number,
  ) {
    this.tickFirstSequence = nextSequence;
    this.sync = new GroupSync(parts.syncEveryMs, {
      begin: () => this.beginSync(),
      run: ({ unsynced }, done) => syncSegments(unsynced, parts.files, done),
      done: (task) => this.synced(task),
      failed: (error) => this.fail(error),
    });
  }

  /** The sequence number that the next record gets. */
  get next(): number {
    return this.nextSequence;
  }

  /**
   * Takes a whole record, or an intent whose outcome's room is held from here on.
   * @param isStrict - `written` waits for the disk, not only for the page cache
   * @throws JournalFullError when there is no room, or the disk fails
   */
  begin(
    kind: typeof FrameKind.intent | typeof FrameKind.record,
    text: string,
    isStrict = false,
  ): { sequence: number; written: Promise<void> } {
    if (!this.isTaking) throw new JournalFullError('closed', 'the journal is closed');
    if (this.recovered !== undefined) throw new JournalFullError('disk', 'the journal waits for its disk');
    if (this.frames.heldBytes > UNSYNCED_BYTES_MAX) {
      throw new JournalFullError('disk', 'the disk is too slow for the journal');
    }
    const isIntent = kind === FrameKind.intent;
    this.admit(FRAME_HEADER_BYTES + Buffer.byteLength(text), this.open.size + (isIntent ? 1 : 0));
    const sequence = this.nextSequence++;
    const batch = this.waiters.ofTick(isStrict);
    if (isIntent) {
      this.open.add(sequence);
      batch.intents.push(sequence);
    }
    this.put(kind, sequence, text);
    return { sequence, written: batch.opened };
  }

  /**
   * Closes an open intent, in the room that it holds; resolves once the frame is written, or synced where `isStrict`,
   * however long the disk fails.
   * @throws JournalFullError once the log is closed: it may be another process's by now, which closes the intent itself
   */
  end(
    kind: typeof FrameKind.outcome | typeof FrameKind.unknown,
    sequence: number,
    text: string,
    isStrict = false,
  ): Promise<void> {
    if (this.isClosed) throw new JournalFullError('closed', 'the journal is closed');
    if (!this.open.delete(sequence)) throw new Error(`the journal holds no open intent ${sequence}`);
    if (this.retryTimer === undefined) this.makeRoom(FRAME_HEADER_BYTES + Buffer.byteLength(text));
    if (this.retryTimer !== undefined) return this.keep(kind, sequence, text);
    this.put(kind, sequence, text);
    const batch = this.waiters.ofTick(isStrict);
    return sequence >= this.tickFirstSequence ? batch.opened : batch.closed;
  }

  /** Takes a record of what the journal lost, whether there is room within the bound or not. */
  tell(text: string): void {
    if (this.isClosed) return;
    this.makeRoom(FRAME_HEADER_BYTES + Buffer.byteLength(text));
    const sequence = this.nextSequence++;
    if (this.retryTimer === undefined) this.put(FrameKind.record, sequence, text);
    else void this.keep(FrameKind.record, sequence, text);
  }

  /** Whether everything that was taken is written. */
  get isSettled(): boolean {
    return this.frames.pendingBytes === 0 && !this.isFailing;
  }

  get isFailing(): boolean {
    return this.recovered !== undefined;
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
    const frames = this.frames.pending();
    if (frames.length === 0) return;
    try {
      this.parts.segments.write(frames);
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    this.frames.written();
    this.tickFirstSequence = this.nextSequence;
    this.sync.request(this.waiters.tickWritten());
  }

  /** Takes nothing new from here on; intents that are open can still be closed. */
  stopTaking(): void {
    this.isTaking = false;
  }

  /** Puts what is there on the disk and lets go of the files; intents that are open stay so for recovery. Blocks. */
  close(): void {
    if (this.isClosed) return;
    const { segments, note, log } = this.parts;
    this.flush();
    clearTimeout(this.retryTimer);
    if (this.retryTimer !== undefined) this.writeBacklog();
    try {
      segments.syncNow();
      if (this.backlog.isEmpty) note.writeNow({ end: segments.end, nextSequence: this.nextSequence });
      this.waiters.synced();
      this.waiters.syncBegins();
      this.waiters.synced();
      if (this.backlog.isEmpty) this.recovered?.resolve();
    } catch (error) {
      log.error({ err: error }, 'the journal could not be put on the disk at its end');
    }
    this.abandon();
  }

  /** Lets go of the files as they are. What was not written never will be, and whoever waits for it is told. */
  abandon(): void {
    this.isTaking = false;
    this.isClosed = true;
    clearTimeout(this.retryTimer);
    this.sync.abandon();
    this.frames.clear();
    const error = new JournalFullError('closed', 'the journal is closed');
    for (const batch of this.waiters.takeAll()) batch.reject(error);
    this.recovered?.reject(error);
    this.parts.note.close();
    this.parts.segments.close();
  }

  private admit(frameBytes: number, openIntents: number): void {
    let isAdmitted: boolean;
    try {
      isAdmitted = this.parts.segments.admits(this.frames.pendingBytes, frameBytes, openIntents);
    } catch (error) {
      throw new JournalFullError('disk', 'the disk has no room for the journal', { cause: error });
    }
    if (!isAdmitted) throw new JournalFullError('full', 'the journal is full');
    this.makeRoom(frameBytes);
    if (this.recovered !== undefined) throw new JournalFullError('disk', 'the journal could not be written');
  }

  /** Sees that the frame stands in the tick and the tick in the segment. Leaves a retry behind where the disk fails. */
  private makeRoom(frameBytes: number): void {
    const { segments } = this.parts;
    const fitsSegment = segments.fits(this.frames.pendingBytes, frameBytes);
    if (fitsSegment && this.frames.fits(frameBytes)) return;
    this.flush();
    if (fitsSegment || this.retryTimer !== undefined) return;
    try {
      segments.roll(this.nextSequence);
    } catch (error) {
      this.fail(error as Error);
    }
  }

  private put(kind: FrameKind, sequence: number, text: string): void {
    this.frames.put(kind, sequence, text, this.parts.segments.seed);
    if (this.isScheduled) return;
    this.isScheduled = true;
    setImmediate(() => {
      this.isScheduled = false;
      if (!this.isClosed) this.flush();
    });
  }

  private beginSync(): SyncTask | undefined {
    const unsynced = this.parts.segments.unsynced();
    if (unsynced === undefined) return undefined;
    this.waiters.syncBegins();
    return { unsynced, mark: this.frames.mark(), nextSequence: this.tickFirstSequence };
  }

  private synced(task: SyncTask): void {
    this.parts.segments.synced(task.unsynced);
    this.frames.release(task.mark);
    this.waiters.synced();
    if (this.retryTimer === undefined) {
      this.recovered?.resolve();
      this.recovered = undefined;
    }
    this.parts.note.write({ end: task.unsynced.end, nextSequence: task.nextSequence });
  }

  /**
   * Keeps every frame that is not on the disk. What was not told to be written is refused to its callers, so it is closed
   * here: when the disk works again, the record tells of the refusal.
   */
  private fail(error: Error): void {
    this.parts.log.error({ err: error }, 'the journal could not be written: its last records go to a new segment');
    this.sync.abandon();
    this.backlog.putBack(this.frames.copies());
    this.frames.clear();
    this.tickFirstSequence = this.nextSequence;
    this.recovered ??= deferred();
    const refusal = new JournalFullError('disk', 'the journal could not be written', { cause: error, isKept: true });
    for (const batch of this.waiters.takeAll()) {
      batch.refuse(refusal, this.recovered.promise);
      for (const sequence of batch.intents) {
        if (this.open.delete(sequence)) void this.keep(FrameKind.outcome, sequence, REFUSED_OUTCOME);
      }
    }
    clearTimeout(this.retryTimer);
    this.retryTimer = setTimeout(() => this.writeBacklog(), RETRY_AFTER_MS);
  }

  private keep(kind: FrameKind, sequence: number, text: string): Promise<void> {
    this.backlog.keep(kind, sequence, text);
    return (this.recovered ??= deferred()).promise;
  }

  private writeBacklog(): void {
    const { segments } = this.parts;
    const roomIn = (frameBytes: number): number => {
      if (!segments.fits(0, frameBytes)) segments.roll(this.nextSequence);
      return segments.seed;
    };
    try {
      segments.replaceUnsynced(this.backlog.lowestSequence(this.nextSequence));
      this.backlog.drain(roomIn, (frame) => {
        segments.write(frame);
        this.frames.putWhole(frame);
        this.frames.written();
      });
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    this.retryTimer = undefined;
    this.sync.request(true);
  }
}
