import type { Decoding } from './decodings.js';

const ESCAPES =
  /%[Ff][0-7](?:%[89ABab][0-9A-Fa-f]){3}|%[Ee][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){2}|%[CcDd][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]|%[0-9A-Fa-f]{2}|&#(?:\d{2,7}|[xX][0-9A-Fa-f]{2,6});|&(?:lt|gt|amp|quot|nbsp|apos);|\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}/g;
const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', nbsp: ' ', apos: "'" };
const LETTERS_MIN = 6;
const TELLING_MIN = 4;
const LETTER = /[A-Za-z]/;
/** What a reader would have seen, or would not. */
const TELLING = new RegExp(String.raw`[A-Za-z% \u00ad\u001b\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\udb40]`);
const CODE_POINT_MAX = 0x10ffff;

/** Characters of one escaped byte: `%41`. */
const BYTE_CHARS = 3;

function characterOf(escape: string): string {
  if (escape.startsWith('%') && escape.length > BYTE_CHARS)
    return Buffer.from(escape.replaceAll('%', ''), 'hex').toString('utf8');
  if (escape.startsWith('%') || escape.startsWith('\\'))
    return String.fromCharCode(Number.parseInt(escape.replace(/^%|^\\[ux]/, ''), 16));
  if (!escape.startsWith('&#')) return NAMED[escape.slice(1, -1)] ?? ' ';
  const digits = escape.slice(2, -1);
  const code = /^[xX]/.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10);
  return code <= CODE_POINT_MAX ? String.fromCodePoint(code) : ' ';
}

/** Whether enough of what is escaped would be read: most texts hold an `%20` or an `&amp;` and hide nothing. */
function isWorthReading(text: string): boolean {
  ESCAPES.lastIndex = 0;
  let telling = 0;
  for (let escape = ESCAPES.exec(text); escape !== null && telling < TELLING_MIN; escape = ESCAPES.exec(text)) {
    const character = characterOf(escape[0]);
    if (TELLING.test(character)) telling += character > '~' || character < ' ' ? TELLING_MIN : 1;
  }
  ESCAPES.lastIndex = 0;
  return telling >= TELLING_MIN;
}

/** The text with the escapes of addresses, HTML and programs read; letters need none, so many of them are a disguise. */
export function unescaped(text: string): Decoding | undefined {
  if (!isWorthReading(text)) return undefined;
  let read = '';
  let from = 0;
  let letters = 0;
  const offsets: number[] = [];
  const copy = (to: number): void => {
    for (let at = from; at < to; at += 1) offsets.push(at);
    read += text.slice(from, to);
  };
  for (const escape of text.matchAll(ESCAPES)) {
    copy(escape.index);
    const character = characterOf(escape[0]);
    for (let unit = 0; unit < character.length; unit += 1) offsets.push(escape.index);
    read += character;
    if (LETTER.test(character)) letters += 1;
    from = escape.index + escape[0].length;
  }
  copy(text.length);
  offsets.push(text.length);
  return {
    text: read,
    isDisguise: letters >= LETTERS_MIN,
    place: ({ start, end }) => ({ start: offsets[start] ?? 0, end: offsets[end] ?? text.length }),
  };
}
