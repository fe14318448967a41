import type { Position } from './position.js';

const WORDS = 4;

/** How far a log is written and delivered, in memory that the writer and the draining thread share. */
export class LogProgress {
  private readonly words: BigInt64Array;

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(WORDS * 8)) {
    this.words = new BigInt64Array(shared);
  }

  /** Frames before it are in the page cache. */
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

  private read(word: number): number {
    return Number(Atomics.load(this.words, word));
  }

  private store(word: number, value: number): void {
    Atomics.store(this.words, word, BigInt(value));
  }
}
