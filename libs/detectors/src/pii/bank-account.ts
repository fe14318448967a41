import type { ShapeDetector, Span } from '../detector.js';
import { modulo } from './checksums.js';

/** Lengths by country, of the registry. @see ISO 13616-1 */
const LENGTHS: Readonly<Record<string, number>> = {
  AD: 24,
  AE: 23,
  AL: 28,
  AT: 20,
  AZ: 28,
  BA: 20,
  BE: 16,
  BG: 22,
  BH: 22,
  BI: 27,
  BR: 29,
  BY: 28,
  CH: 21,
  CR: 22,
  CY: 28,
  CZ: 24,
  DE: 22,
  DJ: 27,
  DK: 18,
  DO: 28,
  EE: 20,
  EG: 29,
  ES: 24,
  FI: 18,
  FK: 18,
  FO: 18,
  FR: 27,
  GB: 22,
  GE: 22,
  GI: 23,
  GL: 18,
  GR: 27,
  GT: 28,
  HR: 21,
  HU: 28,
  IE: 22,
  IL: 23,
  IQ: 23,
  IS: 26,
  IT: 27,
  JO: 30,
  KW: 30,
  KZ: 20,
  LB: 28,
  LC: 32,
  LI: 21,
  LT: 20,
  LU: 20,
  LV: 21,
  LY: 25,
  MC: 27,
  MD: 24,
  ME: 22,
  MK: 19,
  MN: 20,
  MR: 27,
  MT: 31,
  MU: 30,
  NI: 28,
  NL: 18,
  NO: 15,
  OM: 23,
  PK: 24,
  PL: 28,
  PS: 29,
  PT: 25,
  QA: 29,
  RO: 24,
  RS: 22,
  RU: 33,
  SA: 24,
  SC: 31,
  SD: 18,
  SE: 24,
  SI: 19,
  SK: 24,
  SM: 27,
  SO: 23,
  ST: 25,
  SV: 28,
  TL: 23,
  TN: 24,
  TR: 26,
  UA: 29,
  VA: 22,
  VG: 24,
  XK: 20,
  YE: 30,
};
const BACK_MAX = 24;
const CAPITALS = /[A-Z]{2}\d/;
const START = /(?<![A-Za-z0-9])[A-Z]{2}\d{2}/g;

function accountFrom(text: string, start: number): Span | undefined {
  const length = LENGTHS[text.slice(start, start + 2)];
  if (length === undefined) return undefined;
  let account = '';
  let at = start;
  for (; account.length < length && at < text.length; at += 1) {
    const sign = text[at] ?? '';
    if (/[A-Z0-9]/.test(sign)) account += sign;
    else if (!(/[ -]/.test(sign) && /[A-Z0-9]/.test(text[at + 1] ?? ''))) break;
  }
  if (account.length !== length || /[A-Za-z0-9]/.test(text[at] ?? '')) return undefined;
  const moved = account.slice(4) + account.slice(0, 4);
  const digits = moved.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  return modulo(digits, 97) === 1 ? { start, end: at } : undefined;
}

/** International bank account numbers, whole or by fours. */
export const BANK_ACCOUNT: ShapeDetector = {
  id: 'pii.iban',
  category: 'pii',
  what: 'International bank account number',
  fires: ['DE89370400440532013000', 'GB82 WEST 1234 5698 7654 32'],
  passes: ['DE89370400440532013001', 'CH3969169762359981978'],
  trigger: 'digits',
  digits: [8, 40],
  isLettered: true,
  matchAt(text, start) {
    // Nearly always there are no two capitals.
    if (!CAPITALS.test(text.slice(Math.max(0, start - BACK_MAX), start + 2))) return undefined;
    const from = Math.max(0, start - BACK_MAX);
    // Two capitals stand somewhere before; the place of the look-behind is kept by one character more.
    const before = text.slice(Math.max(0, from - 1), start + 4);
    for (const match of before.matchAll(START)) {
      const found = accountFrom(text, Math.max(0, from - 1) + match.index);
      if (found !== undefined && found.end > start) return found;
    }
    return undefined;
  },
};
