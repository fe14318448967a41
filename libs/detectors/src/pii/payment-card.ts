import type { ShapeDetector, Span } from '../detector.js';
import { restOfEscape } from '../word-start.js';
import { isDigit, isLetterOrDigit } from './characters.js';

const CARD_DIGITS_MIN = 13;
const SAID_DIGITS_MIN = 12;
const CARD_DIGITS_MAX = 19;
/** How issuers print a number: whole, by fours, or 4-6-5 and 4-6-4. */
const GROUPINGS = /^(?:\d{1,2}|4-4-4-[1-4]|4-4-4-4-[1-3]|4-6-[45])$/;
/** Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro, by issuer range and length. */
const ISSUERS =
  /^(?:4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11,16}|35(?:2[89]|[3-8]\d)\d{12,15}|6(?:011|5\d\d|4[4-9]\d)\d{12,15}|62\d{14,17}|(?:2131|1800)\d{11}|(?:50[1-9]\d|5[6-8]\d\d|6304|6390|67\d\d)\d{8,15})$/;

/**
 * Whether the digits are a payment card number: issuer range, length and check digit.
 * @param digits - 13 to 19 decimal digits, nothing else
 * @see ISO/IEC 7812-1 annex B (Luhn)
 */
export function isCardNumber(digits: string): boolean {
  if (digits.length < CARD_DIGITS_MIN || digits.length > CARD_DIGITS_MAX || !ISSUERS.test(digits)) return false;
  return hasCheckDigit(digits);
}

function hasCheckDigit(digits: string): boolean {
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - index) - 48;
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

const SAID_CHARS = 40;
const SAID = /(?<![a-z])(?:credit |debit |bank |payment )?(?:card|karte|carte|tarjeta|carta)(?![a-z])[^0-9\n]{0,24}$/i;
/** Maestro numbers have twelve digits and more. */
const SAID_CARD = /[1-9]\d{11,18}(?![\dA-Za-z_]|[.-]\d)/y;

/** Whatever issuer it is of: a number with its check digit right behind the word for a card. */
function saidCard(text: string, start: number): Span | undefined {
  if (!SAID.test(text.slice(Math.max(0, start - SAID_CHARS), start))) return undefined;
  SAID_CARD.lastIndex = start;
  const found = SAID_CARD.exec(text)?.[0];
  return found === undefined || !hasCheckDigit(found) ? undefined : { start, end: start + found.length };
}

const isSeparator = (code: number): boolean => code === 32 || code === 45 || code === 46 || code === 0xa0;

export const CARD: ShapeDetector = {
  id: 'pii.card',
  category: 'pii',
  what: 'Payment card number',
  fires: ['4111 1111 1111 1111', 'the limit of card 501864667909', '180051662803027'],
  passes: ['501864667909', 'card 501864667908', '4111111111111112', '41111111111111110'],
  trigger: 'digits',
  digits: [SAID_DIGITS_MIN, 60],
  matchAt(text: string, start: number): Span | undefined {
    const before = start > 0 ? text.charCodeAt(start - 1) : 32;
    const isInWord = isLetterOrDigit(before) || before === 95;
    const found = isInWord ? undefined : (cardFrom(text, start) ?? saidCard(text, start));
    if (found !== undefined || !(isInWord || before === 37)) return found;
    const rest = restOfEscape(text, start);
    return rest === undefined ? undefined : cardFrom(text, start + rest);
  },
};

/** The card number that begins at a digit, with the separators within it. */
function cardFrom(text: string, start: number): Span | undefined {
  let digits = '';
  let grouping = '';
  let found: Span | undefined;
  for (let at = start; digits.length < CARD_DIGITS_MAX; at += 1) {
    const groupStart = at;
    while (at - groupStart <= CARD_DIGITS_MAX && isDigit(text.charCodeAt(at))) at += 1;
    if (at === groupStart || digits.length + at - groupStart > CARD_DIGITS_MAX) break;
    if (grouping === '' && at - groupStart !== 4 && at - groupStart < CARD_DIGITS_MIN) break;
    digits += text.slice(groupStart, at);
    grouping += (grouping === '' ? '' : '-') + String(at - groupStart);
    const after = text.charCodeAt(at);
    const stands = !isLetterOrDigit(after) && after !== 95;
    if (stands && digits.length >= CARD_DIGITS_MIN && GROUPINGS.test(grouping) && isCardNumber(digits)) {
      found = { start, end: at };
    }
    if (!isSeparator(after)) break;
  }
  return found;
}
