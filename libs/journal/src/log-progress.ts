import type { Position } from './position.js';

const WORDS = 8;

/** How far a log is written and delivered, in memory that the writer and the draining thread share. */
export class LogProgress {
  private readonly words: BigInt64Array;

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(WORDS * 8)) {
    this.words = new BigInt64Array(shared);
  }

  /**
   * Frames before it are on the disk, as far as the disk says so. What is only in the page cache is not shown to readers:
   * a record that was published and is lost with the power would leave its sequence number to another one.
   */
  get committed(): Position {
    return this.read(0);
  }
  set committed(position: Position) {
    this.store(0, position);
  }

  /** Frames before it belong to records that were acknowledged. */
  get delivered(): Position {
    return this.read(1);
  }
  set delivered(position: Position) {
    this.store(1, position);
  }

  /** Records acknowledged since the log was opened. */
  get acknowledged(): number {
    return this.read(2);
  }
  set acknowledged(count: number) {
    this.store(2, count);
  }

  /** The first segment that is still on disk. */
  get firstSegment(): number {
    return this.read(3);
  }
  set firstSegment(number: number) {
    this.store(3, number);
  }

  /** Counts files of delivered segments that wait to be used again. @returns how many there are now */
  addUsed(count: 1 | -1): number {
    return Number(Atomics.add(this.words, 4, BigInt(count))) + count;
  }
  get usedFiles(): number {
    return this.read(4);
  }

  /** Every record with a lower sequence number was acknowledged. */
  get deliveredBelow(): number {
    return this.read(6);
  }
  set deliveredBelow(sequence: number) {
    this.store(6, sequence);
  }

  /** Records in the log's tree that no checkpoint names yet. */
  get unnamed(): number {
    return this.read(7);
  }
  set unnamed(count: number) {
    this.store(7, count);
  }

  /** Bytes of the log that could not be read, since it was opened. */
  get damagedBytes(): number {
    return this.read(5);
  }
  addDamage(bytes: number): void {
    Atomics.add(this.words, 5, BigInt(bytes));
  }

  private read(word: number): number {
    return Number(Atomics.load(this.words, word));
  }

  private store(word: number, value: number): void {
    Atomics.store(this.words, word, BigInt(value));
  }
}
