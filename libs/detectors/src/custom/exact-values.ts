import type { ExactList, ExactShape } from '@warder/contracts';
import { isDigit, isLetterOrDigit } from '../pii/characters.js';
import type { Span, WindowDetector } from '../detector.js';

/** HMAC-SHA-256 of a normal value under the installation's key, its first 16 bytes, base64url. */
export type KeyedHash = (normal: string) => string;

/** Letters and digits of a value: fewer are found by chance, and guessed. */
export const EXACT_CHARS = { min: 5, max: 64 } as const;
/** Pieces that are read as one value: `482 913`, `DE-48-29-13`. */
const PIECES_MAX = 4;
const JOINTS = ' -./_\u00a0';
const BEYOND_ASCII = /[\p{L}\p{N}]/u;
const DIGITS = /^\d+$/;

/** A value as it is hashed: its letters and digits, small, in their compatible form (NFKC). */
export function normalValue(value: string): string {
  return value
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
}

/** What a list says of its values in clear. */
export function exactShape(normals: readonly string[]): ExactShape {
  const lengths = [...new Set(normals.map(({ length }) => length))].toSorted((one, other) => one - other);
  return { lengths, isDigits: normals.every((normal) => DIGITS.test(normal)) };
}

/**
 * Exact values as a detector: each word of a text, and up to four neighbours with one mark or blank between, is hashed
 * if it has the length of a value. Part of a longer word or number is none. Cost: a hash for each that could be one.
 */
export function exactDetector(list: ExactList, hash: KeyedHash): WindowDetector {
  const { id, category, what, shape } = list;
  const hashes = new Set(list.hashes);
  const lengths = new Set(shape.lengths);
  const longest = Math.max(...shape.lengths);
  const isValue = (normal: string): boolean => lengths.has(normal.length) && hashes.has(hash(normal));
  return {
    id,
    category,
    what,
    fires: [],
    passes: [],
    trigger: 'window',
    // Grams of the values would tell of them: it is asked everywhere.
    grams: [],
    around: 0,
    matchAll: (text) => look(text, longest, shape.isDigits, isValue),
  };
}

interface Piece extends Span {
  readonly normal: string;
}

function look(text: string, longest: number, isDigits: boolean, isValue: (normal: string) => boolean): readonly Span[] {
  const spans: Span[] = [];
  let pieces: Piece[] = [];
  for (let at = 0; at < text.length;) {
    const end = wordEnd(text, at);
    if (end === at) {
      at += 1;
      continue;
    }
    const normal = end - at > longest ? '' : normalValue(text.slice(at, end));
    const before = pieces.at(-1);
    const isJoined = before !== undefined && before.end + 1 === at && JOINTS.includes(text[at - 1]!);
    pieces = isJoined ? pieces.slice(1 - PIECES_MAX) : [];
    if (normal === '' || (isDigits && !DIGITS.test(normal))) pieces = [];
    else {
      pieces.push({ start: at, end, normal });
      const start = valueStart(pieces, longest, isValue);
      if (start !== undefined) spans.push({ start, end });
    }
    at = end;
  }
  return spans;
}

/** Where a value begins that ends with the last piece: the longest. */
function valueStart(
  pieces: readonly Piece[],
  longest: number,
  isValue: (normal: string) => boolean,
): number | undefined {
  let normal = '';
  let start: number | undefined;
  for (const piece of pieces.toReversed()) {
    normal = piece.normal + normal;
    if (normal.length > longest) break;
    if (isValue(normal)) ({ start } = piece);
  }
  return start;
}

function wordEnd(text: string, start: number): number {
  let end = start;
  while (end < text.length && isWordAt(text, end)) end += 1;
  return end;
}

function isWordAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code < 128 ? isDigit(code) || isLetterOrDigit(code) : BEYOND_ASCII.test(text[at]!);
}
