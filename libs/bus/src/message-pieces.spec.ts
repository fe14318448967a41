import { describe, expect, it } from 'vitest';
import { messagePieces } from './message-pieces.js';

const MIB = 1_048_576;
const of = (bytes: number) => ({ value: Buffer.alloc(bytes) });
const lengths = (pieces: readonly (readonly unknown[])[]) => pieces.map(({ length }) => length);

describe('what a fetch brings', () => {
  it('is handed out whole and in order, so many messages at a time', () => {
    const messages = Array.from({ length: 5 }, (_, n) => of(n));
    const pieces = messagePieces(messages, 2);
    expect(pieces.flat()).toEqual(messages);
    expect(lengths(pieces)).toEqual([2, 2, 1]);
    expect(messagePieces([], 2)).toEqual([]);
  });

  it('is handed out 8 MiB at a time, a larger message alone', () => {
    expect(lengths(messagePieces([of(5 * MIB), of(3 * MIB), of(1), of(9 * MIB), of(1)], 100))).toEqual([2, 1, 1, 1]);
    expect(lengths(messagePieces([{ value: null }, of(8 * MIB)], 100))).toEqual([2]);
  });
});
