/** Hears every object key down to depth 3, where the envelope ends; `text` is the key as written, quotes included. */
export type KeyListener = (depth: number, text: string) => void;

/** What a scan found: `plain` goes through JSON.parse, `exact` holds numbers it would change, `deep` is refused. */
export type ScanVerdict = 'plain' | 'exact' | 'deep';

const QUOTE = 34;
const MINUS = 45;
const COMMA = 44;
const BACKSLASH = 92;
const WATCHED_DEPTH_MAX = 3;

/**
 * Walks over a JSON text once without building anything (about 1 ns per character, strings are skipped natively).
 * Text that is not JSON gets some verdict too: JSON.parse, which always follows, refuses it.
 * @param depthMax - levels of arrays and objects that are allowed
 */
export function scanJson(text: string, depthMax: number, onKey?: KeyListener): ScanVerdict {
  const length = text.length;
  let verdict: ScanVerdict = 'plain';
  let depth = 0;
  let objects = 0;
  let keyNext = false;
  let i = 0;
  while (i < length) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = stringEnd(text, i);
      if (keyNext && onKey !== undefined && depth <= WATCHED_DEPTH_MAX) onKey(depth, text.slice(i, end));
      keyNext = false;
      i = end;
    } else if (code === 123 || code === 91) {
      depth += 1;
      if (depth > depthMax) return 'deep';
      keyNext = code === 123;
      if (depth <= WATCHED_DEPTH_MAX) objects = keyNext ? objects | (1 << depth) : objects & ~(1 << depth);
      i += 1;
    } else if (code === 125 || code === 93) {
      depth -= 1;
      i += 1;
    } else if (code === COMMA) {
      keyNext = depth <= WATCHED_DEPTH_MAX && (objects & (1 << depth)) !== 0;
      i += 1;
    } else if (code === MINUS || (code >= 48 && code <= 57)) {
      const end = numberEnd(text, i);
      if (verdict === 'plain' && changesInParse(text, i, end)) verdict = 'exact';
      i = end;
    } else {
      i += 1;
    }
  }
  return verdict;
}

/** Index behind the string that starts at `start`; the text's end when it is not closed. */
export function stringEnd(text: string, start: number): number {
  let close = text.indexOf('"', start + 1);
  while (close !== -1) {
    let slashes = close - 1;
    while (slashes > start && text.charCodeAt(slashes) === BACKSLASH) slashes -= 1;
    if ((close - slashes) % 2 === 1) return close + 1;
    close = text.indexOf('"', close + 1);
  }
  return text.length;
}

/** Index behind the number that starts at `start`. */
export function numberEnd(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length) {
    const code = text.charCodeAt(i);
    // Digits, sign, point and exponent: 0-9 + - . e E
    if ((code >= 48 && code <= 57) || code === 46 || code === 101 || code === 69 || code === 43 || code === MINUS)
      i += 1;
    else break;
  }
  return i;
}

/** True if the number at [start, end) would not be written back as it stands: 1.0, -0, 1e400, 19-digit ids. */
export function changesInParse(text: string, start: number, end: number): boolean {
  if (end - start <= 15) {
    let digitsOnly = true;
    for (let i = start; i < end && digitsOnly; i += 1)
      digitsOnly = text.charCodeAt(i) >= 48 && text.charCodeAt(i) <= 57;
    if (digitsOnly) return false;
  }
  const token = text.slice(start, end);
  return String(Number(token)) !== token;
}
