import type { Span } from '../detector.js';
import { LEET, REVERSED, ROT13 } from './cues.js';
import { encodedRuns, holdsLongRun } from './encoded-runs.js';
import { unescaped } from './escapes.js';
import { lookAlikesRead, mightHoldLookAlikes } from './look-alikes.js';
import { spacedLetters } from './spaced-letters.js';

/** A text read another way. */
export interface Decoding {
  readonly text: string;
  /** Nobody writes like this who does not want to hide. */
  readonly isDisguise: boolean;
  /** Where a place of the decoded text stands in the original. */
  place(span: Span): Span;
}

/** Characters that all readings of one text may have together, beyond what the text itself has. */
const EXTRA_CHARS = 65_536;

/** Whether another reading of the text is worth making; a handful of look-ups for an ordinary text. */
export function mightBeDisguised(text: string, isBeyondAscii: boolean, cues: number): boolean {
  return (
    cues !== 0 ||
    (isBeyondAscii && mightHoldLookAlikes(text)) ||
    text.includes('%') ||
    text.includes('&#') ||
    text.includes('\\u') ||
    text.includes('\\x') ||
    holdsLongRun(text) ||
    spacedLetters(text) !== undefined
  );
}

/** Every other reading of the text that its signs suggest, within a budget. */
export function* decodings(text: string, isBeyondAscii: boolean, cues: number): Generator<Decoding> {
  let budget = text.length * 2 + EXTRA_CHARS;
  for (const decoding of readings(text, isBeyondAscii, cues)) {
    budget -= decoding.text.length;
    if (budget < 0) return;
    yield decoding;
  }
}

function* readings(text: string, isBeyondAscii: boolean, cues: number): Generator<Decoding> {
  if (isBeyondAscii && mightHoldLookAlikes(text)) yield* some(lookAlikesRead(text));
  yield* some(unescaped(text));
  yield* some(spacedLetters(text));
  yield* encodedRuns(text);
  if ((cues & ROT13) !== 0) yield mapped(text, rot13(text));
  if ((cues & LEET) !== 0) yield mapped(text, leetRead(text));
  if ((cues & REVERSED) !== 0) yield reversed(text);
}

const some = (decoding: Decoding | undefined): readonly Decoding[] => (decoding === undefined ? [] : [decoding]);

/** A reading that changes letters and moves none. */
const mapped = (text: string, read: string): Decoding => ({
  text: read,
  isDisguise: true,
  place: (span) => ({ start: span.start, end: Math.min(span.end, text.length) }),
});

function reversed(text: string): Decoding {
  let read = '';
  for (let at = text.length - 1; at >= 0; at -= 1) read += text[at];
  return {
    text: read,
    isDisguise: true,
    place: ({ start, end }) => ({ start: text.length - end, end: text.length - start }),
  };
}

const rot13 = (text: string): string =>
  text.replace(/[A-Za-z]/g, (letter) => {
    const base = letter <= 'Z' ? 65 : 97;
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base);
  });

const LEET_LETTERS: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** Digits within words become the letters they look like; numbers stay. */
const leetRead = (text: string): string =>
  text.replace(/[A-Za-z0-9@$]{1,40}/g, (word) =>
    /[A-Za-z]/.test(word) ? word.replace(/[013457@$]/g, (sign) => LEET_LETTERS[sign] ?? sign) : word,
  );
