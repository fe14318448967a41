/** Bytes that are text, and how a changed text becomes such bytes again. */
export interface EncodedText {
  readonly text: string;
  /** Base64 in the alphabet and the character set of the original. */
  encode(text: string): string;
}

const BASE64 = /^[A-Za-z0-9+/_\-\s]+={0,2}\s*$/;
const CHARS_MIN = 4;
/** Bytes by which a text is told from a picture. */
const PROBE_BYTES = 4_096;
/** One character in so many may be none that people type. */
const STRANGE_SHARE = 12;

interface Charset {
  decode(bytes: Buffer): string;
  encode(text: string): Buffer;
}

const UTF8: Charset = { decode: (bytes) => bytes.toString('utf8'), encode: (text) => Buffer.from(text, 'utf8') };
const LATIN1: Charset = { decode: (bytes) => bytes.toString('latin1'), encode: (text) => Buffer.from(text, 'latin1') };
const UTF16: Charset = { decode: (bytes) => bytes.toString('utf16le'), encode: (text) => Buffer.from(text, 'utf16le') };
const UTF16_BIG: Charset = {
  decode: (bytes) => swapped(bytes).toString('utf16le'),
  encode: (text) => swapped(Buffer.from(text, 'utf16le')),
};

/**
 * The text that stands in base64: what a host shows of an embedded resource. Undefined for bytes that are no text: pictures,
 * sounds, archives.
 */
export function textInBase64(value: string): EncodedText | undefined {
  if (value.length < CHARS_MIN || !BASE64.test(value)) return undefined;
  const bytes = Buffer.from(value, 'base64');
  const charset = charsetOf(bytes);
  if (charset === undefined) return undefined;
  const alphabet = /[-_]/.test(value) ? 'base64url' : 'base64';
  return { text: charset.decode(bytes), encode: (text) => charset.encode(text).toString(alphabet) };
}

function charsetOf(bytes: Buffer): Charset | undefined {
  if (bytes.length < 2) return undefined;
  const probe = bytes.subarray(0, PROBE_BYTES);
  const wide = wideCharset(bytes, probe);
  if (wide !== undefined) return isTyped(wide.decode(probe), WIDE) ? wide : undefined;
  if (isUtf8(bytes)) return isTyped(probe.toString('latin1'), WIDE) ? UTF8 : undefined;
  return isTyped(probe.toString('latin1'), ASCII) ? LATIN1 : undefined;
}

const strict = new TextDecoder('utf-8', { fatal: true });

function isUtf8(bytes: Buffer): boolean {
  try {
    strict.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Two bytes for each character: said by a mark in front, or seen by the zeros of nearly every second byte. */
function wideCharset(bytes: Buffer, probe: Buffer): Charset | undefined {
  if (bytes.length % 2 !== 0) return undefined;
  const mark = bytes.readUInt16BE(0);
  if (mark === 0xfffe) return UTF16;
  if (mark === 0xfeff) return UTF16_BIG;
  const zeros = [0, 0] as [number, number];
  for (let at = 0; at < probe.length; at += 1) if (probe[at] === 0) zeros[at % 2 === 0 ? 0 : 1] += 1;
  const most = probe.length / 4;
  if (zeros[1] > most && zeros[0] === 0) return UTF16;
  return zeros[0] > most && zeros[1] === 0 ? UTF16_BIG : undefined;
}

/** The last character that is typed: in ASCII, and where every one beyond it is a letter. */
const ASCII = 126;
const WIDE = 0xffff;

function isTyped(text: string, last: number): boolean {
  let strange = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > last || code === 127 || (code < 32 && code !== 9 && code !== 10 && code !== 13)) strange += 1;
  }
  return strange * STRANGE_SHARE <= text.length;
}

function swapped(bytes: Buffer): Buffer {
  return Buffer.from(bytes).swap16();
}
