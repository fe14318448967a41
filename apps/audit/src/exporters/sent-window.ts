const CHUNK_BYTES = 65_536;
const FORGET_AT = 1_024;

/** The last frames that were sent, up to a number of bytes; the oldest goes first. */
export class SentWindow {
  private readonly frames: Buffer[] = [];
  private first = 0;
  private bytes = 0;

  /** @param bytesMax - of all frames together; a longer frame is not kept */
  constructor(private readonly bytesMax: number) {}

  keep(frame: Buffer): void {
    this.frames.push(frame);
    this.bytes += frame.length;
    while (this.bytes > this.bytesMax) this.bytes -= this.frames[this.first++]!.length;
    if (this.first < FORGET_AT || this.first * 2 < this.frames.length) return;
    // Moving the rest for each frame would cost its square; so it is moved once in a while.
    this.frames.splice(0, this.first);
    this.first = 0;
  }

  /** Everything that is kept, oldest first, in pieces of about 64 KiB. */
  *chunks(): Generator<Buffer> {
    let piece: Buffer[] = [];
    let bytes = 0;
    for (let at = this.first; at < this.frames.length; at++) {
      const frame = this.frames[at]!;
      piece.push(frame);
      bytes += frame.length;
      if (bytes < CHUNK_BYTES) continue;
      yield Buffer.concat(piece);
      piece = [];
      bytes = 0;
    }
    if (piece.length > 0) yield Buffer.concat(piece);
  }
}
