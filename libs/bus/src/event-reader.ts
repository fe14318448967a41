import { type FileHandle, open } from 'node:fs/promises';
import type { BusLog, RawMessage } from './bus.js';
import { claimedFrameBytes, findFrame, FRAME_HEADER_BYTES, type ReadFrame, readFrame } from './event-frame.js';
import { readBytes, type Segment } from './event-segment.js';

const CHUNK_BYTES = 262_144;
const BATCH_MESSAGES_MAX = 500;

/** The part of a log that a reader sees. */
export interface ReadableLog {
  readonly name: string;
  readonly log: BusLog;
  /** The offset that the next message gets. */
  readonly nextOffset: number;
  /** The segment that holds the offset, or the first one behind it. */
  segmentAt(offset: number): Segment;
  segmentAfter(segment: Segment): Segment | undefined;
}

/**
 * Reads a log from an offset on, past damage, which it says in the log. It holds one open file and one chunk, however
 * far behind it is; a segment that is removed meanwhile is read to its end.
 */
export class EventReader {
  private segment: Segment | undefined;
  private handle: FileHandle | undefined;
  private byte = 0;

  /** @param nextOffset - the first offset that is wanted; then the one behind what was read */
  constructor(
    private readonly source: ReadableLog,
    public nextOffset: number,
  ) {}

  /** The next messages, at most 500 and a chunk's bytes; none at the end. */
  async next(): Promise<RawMessage[]> {
    for (;;) {
      const segment = await this.enter();
      if (segment === undefined) return [];
      const messages = await this.readChunk(segment, this.handle!);
      if (messages.length > 0) return messages;
    }
  }

  async close(): Promise<void> {
    await this.handle?.close();
    this.handle = undefined;
    this.segment = undefined;
  }

  /** The open segment that has more; `undefined` at the end of the log. */
  private async enter(): Promise<Segment | undefined> {
    if (this.segment === undefined) await this.openSegment(this.source.segmentAt(this.nextOffset));
    while (this.byte >= this.segment!.bytes) {
      const after = this.source.segmentAfter(this.segment!);
      if (after === undefined) {
        this.skipTo(this.source.nextOffset);
        return undefined;
      }
      this.skipTo(after.firstOffset);
      await this.openSegment(after);
    }
    return this.segment;
  }

  private async openSegment(segment: Segment): Promise<void> {
    const handle = await open(segment.file, 'r');
    await this.handle?.close();
    this.handle = handle;
    this.segment = segment;
    this.byte = 0;
    // What stood before the oldest segment was removed because its time was over or everybody had read it.
    this.nextOffset = Math.max(this.nextOffset, segment.firstOffset);
  }

  private async readChunk(segment: Segment, handle: FileHandle): Promise<RawMessage[]> {
    const below = this.source.segmentAfter(segment)?.firstOffset ?? this.source.nextOffset;
    const left = segment.bytes - this.byte;
    let chunk = await readBytes(handle, this.byte, Math.min(left, CHUNK_BYTES));
    const claimed = claimedFrameBytes(chunk, 0);
    if (claimed > chunk.length && claimed <= left) chunk = await readBytes(handle, this.byte, claimed);
    const messages: RawMessage[] = [];
    let at = 0;
    while (messages.length < BATCH_MESSAGES_MAX) {
      const frame = readFrame(chunk, at);
      if (frame === undefined || frame.offset >= below) break;
      this.take(frame, messages);
      at = frame.end;
    }
    this.byte += at;
    if (at === 0) await this.passDamage(segment, handle, below);
    return messages;
  }

  private take({ offset, message }: ReadFrame, messages: RawMessage[]): void {
    if (offset < this.nextOffset) return;
    this.skipTo(offset);
    messages.push(message);
    this.nextOffset = offset + 1;
  }

  /** Goes to the next whole frame of the segment, or to its end. */
  private async passDamage(segment: Segment, handle: FileHandle, below: number): Promise<void> {
    const rest = await readBytes(handle, this.byte, segment.bytes - this.byte);
    const found =
      rest.length < FRAME_HEADER_BYTES ? undefined : findFrame(rest, 1, { from: segment.firstOffset, below });
    const bytes = found ?? segment.bytes - this.byte;
    const { name, log } = this.source;
    log.error({ topic: name, file: segment.file, at: this.byte, bytes }, 'bytes of an event segment cannot be read');
    this.byte += bytes;
  }

  /** Offsets between what was read last and what can be read next are lost, and this is where it is told. */
  private skipTo(offset: number): void {
    if (offset <= this.nextOffset) return;
    const { name, log } = this.source;
    const lost = { topic: name, fromOffset: this.nextOffset, toOffset: offset - 1 };
    log.error({ ...lost, messages: offset - this.nextOffset }, 'events cannot be read any more');
    this.nextOffset = offset;
  }
}
