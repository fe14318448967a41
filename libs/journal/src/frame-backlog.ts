import { FRAME_HEADER_BYTES, type FrameKind, lowestSequence, putFrame, sealFrame } from './frame.js';

/** Frames that a failing disk did not take, in the order in which they are to be written again. */
export class FrameBacklog {
  private frames: Buffer[] = [];

  get isEmpty(): boolean {
    return this.frames.length === 0;
  }

  /** Adds a frame that stands nowhere yet. */
  keep(kind: FrameKind, sequence: number, text: string): void {
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + Buffer.byteLength(text));
    putFrame(frame, 0, kind, sequence, text, 0);
    this.frames.push(frame);
  }

  /** Puts frames that were written, in vain, before all others. */
  putBack(frames: readonly Buffer[]): void {
    this.frames = [...frames, ...this.frames];
  }

  /** The lowest sequence number in it, or `otherwise` where that is lower. */
  lowestSequence(otherwise: number): number {
    return lowestSequence(this.frames, otherwise);
  }

  /** Hands each frame to `write`, sealed for the segment that `roomIn` names. What `write` throws on stays the first. */
  drain(roomIn: (frameBytes: number) => number, write: (frame: Buffer) => void): void {
    for (let frame = this.frames[0]; frame !== undefined; frame = this.frames[0]) {
      sealFrame(frame, 0, frame.length, roomIn(frame.length));
      write(frame);
      this.frames.shift();
    }
  }
}
