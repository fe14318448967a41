const digitsOf = (digits: string): number[] => Array.from(digits, Number);

/** Sum of digits times weights. */
function weighted(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * Number(digits[at]), 0);
}

/** @see ISO/IEC 7812-1 annex B */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - at) - 48;
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** The last digit checks the ones before: 11 minus the weighted sum modulo 11, where 10 and 11 mean what `of` says. */
export function modulo11(
  digits: string,
  weights: readonly number[],
  of: (rest: number) => number = (rest) => (rest > 9 ? 0 : rest),
): boolean {
  return of(11 - (weighted(digits, weights) % 11)) === Number(digits[weights.length]);
}

/** The whole number's weighted sum is a multiple of `modulus`. */
export const isMultiple = (digits: string, weights: readonly number[], modulus: number): boolean =>
  weighted(digits, weights) % modulus === 0;

export const remainder = (digits: string, weights: readonly number[], modulus: number): number =>
  weighted(digits, weights) % modulus;

/** @see ISO/IEC 7064, MOD 11,10 */
export function iso7064(digits: string): boolean {
  let product = 10;
  for (const digit of digitsOf(digits.slice(0, -1))) {
    const sum = (digit + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === Number(digits.at(-1));
}

const VERHOEFF_TIMES = [
  '0123456789',
  '1234067895',
  '2340178956',
  '3401289567',
  '4012395678',
  '5987604321',
  '6598710432',
  '7659821043',
  '8765932104',
  '9876543210',
];
const VERHOEFF_TURN = [
  '0123456789',
  '1576283094',
  '5803796142',
  '8916043527',
  '9453126870',
  '4286573901',
  '2793806415',
  '7046913258',
];

/** Verhoeff's check of India's numbers. */
export function verhoeff(digits: string): boolean {
  let check = 0;
  digitsOf(digits)
    .reverse()
    .forEach((digit, at) => {
      check = Number(VERHOEFF_TIMES[check]?.[Number(VERHOEFF_TURN[at % 8]?.[digit])]);
    });
  return check === 0;
}

/** Remainder of a long decimal number. */
export function modulo(digits: string, modulus: number): number {
  let rest = 0;
  for (const digit of digits) rest = (rest * 10 + Number(digit)) % modulus;
  return rest;
}

/** Whether six digits are a day: two each of year, month and day, in the order given. */
export function isDay(digits: string, order: 'ymd' | 'dmy'): boolean {
  const month = Number(digits.slice(2, 4));
  const day = Number(order === 'ymd' ? digits.slice(4, 6) : digits.slice(0, 2));
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}
