import { type FileHandle, mkdir, open, rm, truncate } from 'node:fs/promises';
import { BusError, type BusClock, type BusLog, type RawEntry } from './bus.js';
import { frameBytesOf, putFrame } from './event-frame.js';
import { EventReader, type ReadableLog } from './event-reader.js';
import { listSegments, scanSegment, type Segment, segmentFileOf, syncDirectory } from './event-segment.js';

/** What a log is made of; see `EventBounds` for the bounds. */
export interface EventLogOptions {
  /** Of the topic. */
  readonly name: string;
  readonly dir: string;
  readonly clock: BusClock;
  readonly log: BusLog;
  /** Milliseconds that a message is kept at least, if the bytes allow it; `null`: as long as the bytes allow it. */
  readonly retentionMs: number | null;
  /** Bytes of all segments; what a group has not read is not removed for it, the publisher is refused. */
  readonly bytesMax: number;
  readonly segmentBytesMax: number;
  /** The first offset that somebody has yet to read, and who that is; nothing from there on is removed. */
  unread(): { offset: number; by: string };
  /** No offset below this one is given again, though damage may have taken the messages that had them. */
  readonly nextOffsetMin: number;
}

interface Waiting {
  entries: readonly RawEntry[];
  bytes: number;
  timestampMs: number;
  resolve: () => void;
  reject: (error: BusError) => void;
}

const QUEUED_BYTES_MAX = 67_108_864;
const WRITE_BYTES_MAX = 4_194_304;
/** A segment is closed at this part of the retention, so that what is kept too long is at most that much more. */
const SEGMENT_AGE_PART = 8;

/**
 * The events of one topic in file segments. A publication is acknowledged when it is on the disk: all that wait share
 * one `write` and one `fdatasync`, while the next ones gather.
 */
export class EventLog implements ReadableLog {
  readonly name: string;
  readonly log: BusLog;
  private readonly segments: Segment[] = [];
  private readonly queue: Waiting[] = [];
  private readonly growthListeners = new Set<() => void>();
  private queuedBytes = 0;
  private keptBytes = 0;
  private handle: FileHandle | undefined;
  private writing: Promise<void> | undefined;
  private isClosed = false;
  private next = 0;

  private constructor(private readonly options: EventLogOptions) {
    this.name = options.name;
    this.log = options.log;
  }

  /** Opens the log, with what an earlier process left; a torn last message, never acknowledged, is cut off. */
  static async open(options: EventLogOptions): Promise<EventLog> {
    await mkdir(options.dir, { recursive: true, mode: 0o700 });
    const log = new EventLog(options);
    await log.recover();
    return log;
  }

  get nextOffset(): number {
    return this.next;
  }

  get firstOffset(): number {
    return this.segments[0]!.firstOffset;
  }

  /** @throws BusError `buffer-full` when there is no room, `refused` when the disk fails, `closed` */
  append(entries: readonly RawEntry[], timestampMs: number): Promise<void> {
    if (this.isClosed) return Promise.reject(new BusError('closed', 'the bus was closed'));
    if (entries.length === 0) return Promise.resolve();
    const bytes = entries.reduce((sum, entry) => sum + frameBytesOf(entry), 0);
    if (this.queuedBytes + bytes > QUEUED_BYTES_MAX) {
      return Promise.reject(new BusError('buffer-full', `over ${QUEUED_BYTES_MAX} bytes wait for the disk`));
    }
    this.queuedBytes += bytes;
    return new Promise((resolve, reject) => {
      this.queue.push({ entries, bytes, timestampMs, resolve, reject });
      void this.alone(() => this.writeQueue());
    });
  }

  segmentAt(offset: number): Segment {
    return this.segments.findLast(({ firstOffset }) => firstOffset <= offset) ?? this.segments[0]!;
  }

  segmentAfter({ firstOffset }: Segment): Segment | undefined {
    return this.segments.find((segment) => segment.firstOffset > firstOffset);
  }

  /** The offset of the first message that was published at or after the time. */
  async offsetAt(timeMs: number): Promise<number> {
    const from = this.segments.find(({ lastMs }) => lastMs >= timeMs);
    if (from === undefined) return this.next;
    const reader = new EventReader(this, from.firstOffset);
    try {
      for (;;) {
        const messages = await reader.next();
        const found = messages.find(({ timestampMs }) => timestampMs >= timeMs);
        if (found !== undefined) return Number(found.offset);
        if (messages.length === 0) return reader.nextOffset;
      }
    } finally {
      await reader.close();
    }
  }

  /** Resolves when there is a message at or behind the offset, or the signal is aborted. */
  grown(offset: number, signal: AbortSignal): Promise<void> {
    if (this.next > offset || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.growthListeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.growthListeners.add(done);
      signal.addEventListener('abort', done);
    });
  }

  /** Removes what is older than the retention and has been read. */
  async expire(): Promise<void> {
    const { retentionMs } = this.options;
    if (retentionMs === null) return;
    const oldestMs = this.options.clock.wallMs() - retentionMs;
    while (this.writing !== undefined) await this.writing;
    if (this.isClosed) return;
    await this.alone(async () => {
      if (this.isOld(this.segments.at(-1)!)) await this.roll();
      await this.removeWhile(({ lastMs }) => lastMs < oldestMs, this.options.unread().offset);
    });
  }

  /** Lets what was published reach the disk, then closes. */
  async close(): Promise<void> {
    this.isClosed = true;
    while (this.writing !== undefined) await this.writing.catch(() => {});
    await this.handle?.close();
    this.handle = undefined;
  }

  private async recover(): Promise<void> {
    const { dir, nextOffsetMin, clock } = this.options;
    this.segments.push(...(await listSegments(dir)));
    const last = this.segments.at(-1);
    this.next = nextOffsetMin;
    if (last !== undefined) {
      const { bytes, nextOffset, lastMs, damages } = await scanSegment(last);
      const cutBytes = last.bytes - bytes;
      const said = { topic: this.name, file: last.file, damages, cutBytes };
      if (damages > 0 || cutBytes > 0) this.log.warn(said, 'an event segment was not whole, what can be read goes on');
      if (cutBytes > 0) await truncate(last.file, bytes);
      last.bytes = bytes;
      last.lastMs = Math.max(lastMs, last.firstMs);
      this.next = Math.max(nextOffset, nextOffsetMin);
      if (nextOffset === this.next) this.handle = await open(last.file, 'r+');
    }
    this.keptBytes = this.segments.reduce((sum, { bytes }) => sum + bytes, 0);
    if (this.handle === undefined) await this.startSegment(clock.wallMs());
  }

  /** Begins the work unless other work on the files runs; what was published meanwhile is written behind it. */
  private alone(work: () => Promise<void>): Promise<void> {
    this.writing ??= work().finally(() => {
      this.writing = undefined;
      if (this.queue.length > 0) void this.alone(() => this.writeQueue());
    });
    return this.writing;
  }

  private async writeQueue(): Promise<void> {
    // The rest of this tick's publications join the first write.
    await Promise.resolve();
    while (this.queue.length > 0) {
      const batch = this.take();
      try {
        await this.makeRoom(batch.reduce((sum, { bytes }) => sum + bytes, 0));
        await this.write(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        const refusal = error instanceof BusError ? error : await this.abandon(error);
        for (const { reject } of batch) reject(refusal);
      }
    }
  }

  private take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.queue) {
      if (count > 0 && bytes + waiting.bytes > WRITE_BYTES_MAX) break;
      bytes += waiting.bytes;
      count += 1;
    }
    this.queuedBytes -= bytes;
    return this.queue.splice(0, count);
  }

  private async makeRoom(bytes: number): Promise<void> {
    const { bytesMax, segmentBytesMax } = this.options;
    const isLate = this.isOld(this.segments.at(-1)!);
    if (this.handle === undefined || isLate || this.segments.at(-1)!.bytes >= segmentBytesMax) await this.roll();
    if (this.keptBytes + bytes <= bytesMax) return;
    const { offset, by } = this.options.unread();
    await this.removeWhile(() => this.keptBytes + bytes > bytesMax, offset);
    if (this.keptBytes + bytes <= bytesMax) return;
    throw new BusError(
      'buffer-full',
      `${this.name}: ${this.keptBytes} bytes wait to be read by ${by}, no more are taken`,
    );
  }

  private async write(batch: readonly Waiting[]): Promise<void> {
    const segment = this.segments.at(-1)!;
    const bytes = batch.reduce((sum, waiting) => sum + waiting.bytes, 0);
    const buffer = Buffer.allocUnsafe(bytes);
    let at = 0;
    let offset = this.next;
    for (const { entries, timestampMs } of batch) {
      for (const entry of entries) at = putFrame(buffer, at, offset++, entry, timestampMs);
      segment.lastMs = Math.max(segment.lastMs, timestampMs);
    }
    for (let written = 0; written < bytes;) {
      const { bytesWritten } = await this.handle!.write(buffer, written, bytes - written, segment.bytes + written);
      written += bytesWritten;
    }
    await this.handle!.datasync();
    segment.bytes += bytes;
    this.keptBytes += bytes;
    this.next = offset;
    for (const listener of this.growthListeners) listener();
  }

  /** After a failed write nobody knows what stands behind the durable bytes: the next one begins a new segment. */
  private async abandon(error: unknown): Promise<BusError> {
    const segment = this.segments.at(-1)!;
    this.log.error({ err: error, topic: this.name, file: segment.file }, 'events could not be written');
    await this.handle?.close().catch(() => {});
    this.handle = undefined;
    await truncate(segment.file, segment.bytes).catch(() => {});
    return new BusError('refused', `${this.name}: the disk did not take the message`, { cause: error });
  }

  private isOld(segment: Segment): boolean {
    const { retentionMs, clock } = this.options;
    return (
      segment.bytes > 0 && retentionMs !== null && segment.firstMs < clock.wallMs() - retentionMs / SEGMENT_AGE_PART
    );
  }

  private async roll(): Promise<void> {
    await this.handle?.close();
    this.handle = undefined;
    await this.startSegment(this.options.clock.wallMs());
  }

  private async startSegment(nowMs: number): Promise<void> {
    const file = segmentFileOf(this.options.dir, this.next);
    this.handle = await open(file, 'w+', 0o600);
    await syncDirectory(this.options.dir);
    // One that holds nothing has the same name.
    if (this.segments.at(-1)?.firstOffset === this.next) this.segments.pop();
    this.segments.push({ firstOffset: this.next, file, bytes: 0, firstMs: nowMs, lastMs: nowMs });
  }

  private async removeWhile(isUnwanted: (oldest: Segment) => boolean, unreadFrom: number): Promise<void> {
    for (;;) {
      const [oldest, after] = this.segments;
      if (after === undefined || after.firstOffset > unreadFrom || !isUnwanted(oldest!)) return;
      this.segments.shift();
      this.keptBytes -= oldest!.bytes;
      await rm(oldest!.file, { force: true });
    }
  }
}
