import { isObject, LosslessNumber } from '@warder/mcp-wire';

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * One text for every way of writing the same value, and for no other value: members in order of their names, and
 * numbers to their last digit, for 9007199254740993 and 9007199254740992 are two accounts though one double. So it is
 * RFC 8785 but for numbers, which that would round.
 */
export function canonicalJson(value: unknown): string {
  if (value instanceof LosslessNumber) return canonicalNumber(value.text);
  if (typeof value === 'number') return canonicalNumber(String(value));
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const members = Object.keys(value)
    .sort()
    .filter((key) => value[key] !== undefined)
    .map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`);
  return `{${members.join(',')}}`;
}

/** Digits without zeros at either end, and the power of ten of the last one. */
function canonicalNumber(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = NUMBER.exec(text) ?? [];
  const digits = `${whole}${fraction}`.replace(/^0+/, '');
  if (digits === '') return '0';
  const kept = digits.replace(/0+$/, '');
  const power = BigInt(exponent) - BigInt(fraction.length) + BigInt(digits.length - kept.length);
  return `${sign}${kept}e${power}`;
}
