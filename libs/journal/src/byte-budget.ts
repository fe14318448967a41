const MERGED_BYTES = 65_536;

/** Bytes that records of one sort may hold in a log until they are acknowledged. */
export class ByteBudget {
  /** Records up to a sequence number and their bytes, the older first. */
  private readonly held: { lastSequence: number; bytes: number }[] = [];
  private heldBytes = 0;

  constructor(private readonly bytesMax: number) {}

  /** Whether a record has room beside those that are not acknowledged. @param deliveredBelow - lower sequences are */
  admits(bytes: number, deliveredBelow: number): boolean {
    while (this.held.length > 0 && this.held[0]!.lastSequence < deliveredBelow)
      this.heldBytes -= this.held.shift()!.bytes;
    return this.heldBytes + bytes <= this.bytesMax;
  }

  took(sequence: number, bytes: number): void {
    this.heldBytes += bytes;
    const last = this.held.at(-1);
    if (last === undefined || last.bytes >= MERGED_BYTES) {
      this.held.push({ lastSequence: sequence, bytes });
      return;
    }
    last.lastSequence = sequence;
    last.bytes += bytes;
  }
}
