import type { Decoding } from './decodings.js';

/** Cyrillic, Greek and other letters that look like a Latin one, in pairs. */
const PAIRS =
  'аaеeоoрpсcуyхxіiјjѕsһhԁdԛqԝwкkмmтtвbнhгrпnвbАAВBЕEКKМMНHОOРPСCТTУYХXІIЈJЅSοoαaεeιiκkνvρpτtυuχxγyωwηnΑAΒBΕEΖZΗHΙIΚKΜMΝNΟOΡPΤTΥYΧXɑaɡgɩiʏyʀrᴀaᴄcᴅdᴇeᴊjᴋkᴍmᴏoᴘpᴛtᴜuᴠvᴡwᴢzɴnɪiʟlʜhɢgʙbꜱsꜰfօoսuհhոnյjⅼlⅰiⅽcⅾdⅿm';
const LATIN = new Map<string, string>();
for (let at = 0; at < PAIRS.length; at += 2) LATIN.set(PAIRS[at] ?? '', PAIRS[at + 1] ?? '');

const SUSPECT = new RegExp(
  String.raw`[\u0250-\u02af\u0300-\u036f\u0370-\u03ff\u0400-\u052f\u0561-\u0587\u1d00-\u1dbf\u1e00-\u1eff\u00c0-\u024f\u2070-\u209c\u2100-\u218f\u2460-\u24ff\ua730-\ua7ff\uff01-\uff5e]|\ud835[\udc00-\udfff]|\ud83c[\udd10-\uddff]`,
);
/** Letters that no language is written in. */
const DRAWN = /[\u1d00-\u1dbf\u249c-\u24e9\uff21-\uff5a]|\ud835|\ud83c[\udd30-\udd89]/;
/** Latin letters and look-alikes of another script in one word. */
const MIXED =
  /[A-Za-z][\u0370-\u03ff\u0400-\u052f\u0561-\u0587]|[\u0370-\u03ff\u0400-\u052f\u0561-\u0587][A-Za-z]|[a-z][\u0300-\u036f]{1,9}[a-z][\u0300-\u036f]/;

const SUSPECTS = new RegExp(SUSPECT, 'g');
/** A word or two in disguise takes as many; a quotation with an accent does not. */
const SUSPECTS_MIN = 6;

export function mightHoldLookAlikes(text: string): boolean {
  SUSPECTS.lastIndex = 0;
  for (let count = 0; count < SUSPECTS_MIN; count += 1) if (!SUSPECTS.test(text)) return false;
  return true;
}

const MARKS = /[\u0300-\u036f]/g;
/** Regional indicators and squared letters (🄰 🅐 🅰 🇦), which no normal form reads. */
function squared(code: number): string | undefined {
  for (const first of [0x1f130, 0x1f150, 0x1f170, 0x1f1e6]) {
    if (code >= first && code < first + 26) return String.fromCharCode(65 + code - first);
  }
  return undefined;
}

const KNOWN_MAX = 8_192;

function latinOf(character: string): string {
  const known = LATIN.get(character);
  if (known !== undefined) return known;
  const latin =
    squared(character.codePointAt(0) ?? 0) ??
    Array.from(character.normalize('NFKD').replace(MARKS, ''), (each) => LATIN.get(each) ?? each).join('');
  if (LATIN.size < KNOWN_MAX) LATIN.set(character, latin);
  return latin;
}

/** The text as a reader sees it: compatibility forms, accents and look-alikes as the letters they stand for. */
export function lookAlikesRead(text: string): Decoding {
  let read = '';
  const offsets: number[] = [];
  let at = 0;
  for (const character of text) {
    const latin = character <= '\u007f' ? character : latinOf(character);
    for (let unit = 0; unit < latin.length; unit += 1) offsets.push(at);
    read += latin;
    at += character.length;
  }
  offsets.push(at);
  return {
    text: read,
    isDisguise: DRAWN.test(text) || MIXED.test(text),
    place: ({ start, end }) => ({ start: offsets[start] ?? 0, end: offsets[end] ?? text.length }),
  };
}
