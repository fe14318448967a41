import type { Decoding } from './decodings.js';

const RUN_MIN = 32;
const RUNS_MAX = 64;
/** 1 for what base64 in both its alphabets, and hex, are written with. */
const IN_RUN = Uint8Array.from({ length: 128 }, (_, code) =>
  /[A-Za-z0-9+/_-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/**
 * The first run of at least `RUN_MIN` such characters from `from` on, or -1. Looks at every 32nd character and a few
 * before it: a run that long cannot hide between two looks.
 */
function nextRun(text: string, from: number): number {
  let looked = from + RUN_MIN - 1;
  let known = looked + 1;
  while (looked < text.length) {
    let at = looked;
    while (at >= from && (IN_RUN[text.charCodeAt(at)] ?? 0) === 1 && at > looked - RUN_MIN) at -= 1;
    if (looked - at >= RUN_MIN || at < from) return Math.max(at + 1, from);
    known = at + RUN_MIN;
    looked = known > looked ? known : looked + 1;
  }
  return -1;
}

/** Whether the text holds one at all. */
export const holdsLongRun = (text: string): boolean => nextRun(text, 0) >= 0;

const WHOLE_RUN = /[A-Za-z0-9+/_-]+(?:(?:\\[nr]|[\r\n]){1,4}[A-Za-z0-9+/_-]{16,})*={0,2}/y;
const CHARS_MAX = 262_144;

/** Base64, hex and words written together, decoded where text comes out. */
export function* encodedRuns(text: string): Generator<Decoding> {
  let from = 0;
  for (let count = 0; count < RUNS_MAX; count += 1) {
    const start = nextRun(text, from);
    if (start < 0) return;
    WHOLE_RUN.lastIndex = start;
    const whole = WHOLE_RUN.exec(text)?.[0] ?? '';
    const end = start + whole.length;
    from = Math.max(end, start + RUN_MIN);
    const run = whole.replace(/\\[nr]|[\r\n]/g, '');
    const read = run.length > CHARS_MAX ? undefined : (fromHex(run) ?? wordsOf(run) ?? fromBase64(run));
    if (read !== undefined) yield { ...read, place: () => ({ start, end }) };
  }
}

type Read = Omit<Decoding, 'place'>;

const HEX = /^(?:0x)?((?:[0-9a-fA-F]{2}){16,})$/;

function fromHex(run: string): Read | undefined {
  const digits = HEX.exec(run)?.[1];
  if (digits === undefined) return undefined;
  const text = Buffer.from(digits, 'hex').toString('utf8');
  return isProse(text) || isWrittenBeyondAscii(text) ? { text, isDisguise: true } : undefined;
}

/** `IgnoreAllPreviousInstructions`: three and more words, each with a capital, and no digit. */
const CAMEL = /^[A-Za-z]{32,}$/;
const HUMP = /(?<=[a-z])(?=[A-Z])/g;
const HUMPS_MIN = 4;

function wordsOf(run: string): Read | undefined {
  if (!CAMEL.test(run)) return undefined;
  const words = run.split(HUMP);
  return words.length > HUMPS_MIN && words.length < run.length / 3
    ? { text: words.join(' '), isDisguise: true }
    : undefined;
}

const PROBE_CHARS = 32;
/** Encoded English has capitals and small letters in turn; addresses and paths have words and few capitals. */
const CAPITALS_MIN = 4;
const JOINTS_MAX = 3;

function looksEncoded(run: string): boolean {
  let capitals = 0;
  let joints = 0;
  for (let at = 0; at < PROBE_CHARS; at += 1) {
    const code = run.charCodeAt(at);
    if (code >= 65 && code <= 90) capitals += 1;
    else if (code === 45 || code === 95 || code === 47) joints += 1;
  }
  return capitals >= CAPITALS_MIN && joints <= JOINTS_MAX;
}

function fromBase64(run: string): Read | undefined {
  if (!looksEncoded(run)) return undefined;
  const probe = Buffer.from(run.slice(0, PROBE_CHARS), 'base64').toString('latin1');
  if (!isProse(probe) && !isWrittenBeyondAscii(decodedStart(run))) return undefined;
  const text = Buffer.from(run, 'base64').toString('utf8');
  return { text, isDisguise: false };
}

/** Characters of base64 whose bytes tell text in UTF-8 from a picture or a hash; a multiple of four. */
const START_CHARS = 96;
const decodedStart = (run: string): string => Buffer.from(run.slice(0, START_CHARS), 'base64').toString('utf8');

/** UTF-8 without a fault, but for a character cut at the end: chance and pictures are none. */
function isWrittenBeyondAscii(text: string): boolean {
  const fault = text.indexOf('\ufffd');
  if (fault >= 0 && fault < text.length - 3) return false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || code === 127) return false;
  }
  return true;
}

/** At most a character in twelve is none that people type. */
function isProse(text: string): boolean {
  let strange = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if ((code < 32 && code !== 9 && code !== 10 && code !== 13) || code > 126) strange += 1;
  }
  return strange * 12 <= text.length;
}
