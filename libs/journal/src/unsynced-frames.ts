import { FRAME_HEADER_BYTES, FrameKind, putFrame } from './frame.js';

const CHUNK_BYTES = 1 << 20;

interface Chunk {
  readonly bytes: Buffer;
  /** The first byte that is not synced, and the end of its frames. */
  from: number;
  end: number;
}

/** A place among the frames: everything before it was written. */
export interface Mark {
  readonly chunk: Chunk;
  readonly at: number;
}

/** Frames from their making until they are on the disk: whole ones, in order, those of one write beside each other. */
export class UnsyncedFrames {
  private chunks: Chunk[] = [{ bytes: Buffer.allocUnsafeSlow(CHUNK_BYTES), from: 0, end: 0 }];
  private idle: Chunk | undefined;
  private writtenAt = 0;

  /** Bytes of frames that are made and not written. */
  get pendingBytes(): number {
    return this.last.end - this.writtenAt;
  }

  /** Bytes of memory that are in use, to the chunk. */
  get heldBytes(): number {
    return this.chunks.length * CHUNK_BYTES;
  }

  /** Whether a frame stands beside those that are not written. */
  fits(frameBytes: number): boolean {
    return this.last.end + frameBytes <= CHUNK_BYTES;
  }

  /** Makes a frame; `fits` said that there is room, or nothing is pending. */
  put(kind: FrameKind, sequence: number, text: string, seed: number): void {
    if (this.pendingBytes === 0 && !this.fits(FRAME_HEADER_BYTES + Buffer.byteLength(text))) this.addChunk();
    const { last } = this;
    last.end = putFrame(last.bytes, last.end, kind, sequence, text, seed);
  }

  /** Takes a whole frame that was made elsewhere; nothing may be pending. */
  putWhole(frame: Buffer): void {
    if (!this.fits(frame.length)) this.addChunk();
    const { last } = this;
    last.end += frame.copy(last.bytes, last.end);
  }

  /** The frames that are not written; a view. */
  pending(): Buffer {
    return this.last.bytes.subarray(this.writtenAt, this.last.end);
  }

  written(): void {
    this.writtenAt = this.last.end;
  }

  mark(): Mark {
    return { chunk: this.last, at: this.writtenAt };
  }

  /** Forgets what is before the mark. */
  release({ chunk, at }: Mark): void {
    while (this.chunks[0] !== chunk) this.idle = this.chunks.shift()!;
    chunk.from = at;
    if (chunk !== this.last || chunk.from < chunk.end) return;
    chunk.from = chunk.end = this.writtenAt = 0;
  }

  /** Copies of all frames that are not released, in order. */
  copies(): Buffer[] {
    return this.chunks.flatMap(({ bytes, from, end }) => {
      const frames: Buffer[] = [];
      for (let at = from; at < end;) {
        const next = at + FRAME_HEADER_BYTES + bytes.readUInt32LE(at + 4);
        frames.push(Buffer.from(bytes.subarray(at, next)));
        at = next;
      }
      return frames;
    });
  }

  clear(): void {
    const { last } = this;
    this.chunks = [last];
    last.from = last.end = this.writtenAt = 0;
  }

  private get last(): Chunk {
    return this.chunks.at(-1)!;
  }

  private addChunk(): void {
    const chunk = this.idle ?? { bytes: Buffer.allocUnsafeSlow(CHUNK_BYTES), from: 0, end: 0 };
    this.idle = undefined;
    chunk.from = chunk.end = this.writtenAt = 0;
    this.chunks.push(chunk);
  }
}
