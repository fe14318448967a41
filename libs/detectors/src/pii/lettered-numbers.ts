import type { ShapeDetector } from '../detector.js';
import { isAnnounced, numberAt } from './number-at.js';

interface LetteredRule {
  readonly kind: string;
  readonly what: string;
  /** Sticky; asked `back` characters before the first three digits in a row, and at each place after it. */
  readonly pattern: RegExp;
  readonly back: number;
  readonly words?: RegExp;
  /** Its letters stand apart from its digits. */
  readonly isLoose?: true;
  readonly isValid: (found: string) => boolean;
  readonly fires: readonly string[];
  readonly passes: readonly string[];
}

const bare = (found: string): string => found.replace(/[\s.-]/g, '').toUpperCase();
const NIF_LETTERS = 'TRWAGMYFPDXBNJZSQVHLCKE';
const HETU_SIGNS = '0123456789ABCDEFHJKLMNPRSTUVWXY';
const ALNUM = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

const isNif = (found: string): boolean => {
  const text = bare(found).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)));
  return NIF_LETTERS[Number(text.slice(0, 8)) % 23] === text[8];
};

const IT_ODD = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
function isFiscalCode(found: string): boolean {
  const text = bare(found);
  let sum = 0;
  for (let at = 0; at < 15; at += 1) {
    const code = ALNUM.indexOf(text[at] ?? '0');
    const value = code > 9 ? code - 10 : code;
    sum += at % 2 === 0 ? (IT_ODD[value] ?? 0) : value;
  }
  return String.fromCharCode(65 + (sum % 26)) === text[15];
}

function isSingaporean(found: string): boolean {
  const weights = [2, 7, 6, 5, 4, 3, 2];
  const sum = weights.reduce((total, weight, at) => total + weight * Number(found[at + 1]), 0);
  const first = found[0] ?? 'S';
  const rest = (sum + ('TG'.includes(first) ? 4 : first === 'M' ? 3 : 0)) % 11;
  const letters = 'ST'.includes(first) ? 'JZIHGFEDCBA' : first === 'M' ? 'KLJNPQRTUWX' : 'XWUTRQPNMLK';
  return letters[first === 'M' ? 10 - rest : rest] === found[8];
}

function isChinese(found: string): boolean {
  const weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
  const sum = weights.reduce((total, weight, at) => total + weight * Number(found[at]), 0);
  return '10X98765432'[sum % 11] === found[17]?.toUpperCase();
}

function isChilean(found: string): boolean {
  const [number = '', check = ''] = found.replaceAll('.', '').split('-');
  const sum = Array.from(number)
    .reverse()
    .reduce((total, digit, at) => total + Number(digit) * (2 + (at % 6)), 0);
  return '0123456789K0'[11 - (sum % 11)] === check.toUpperCase();
}

const ppsLetter = (found: string): boolean => {
  const weights = [8, 7, 6, 5, 4, 3, 2];
  const second = found[8] === undefined ? 0 : (found.toUpperCase().charCodeAt(8) - 64) * 9;
  const sum = weights.reduce((total, weight, at) => total + weight * Number(found[at]), second);
  return 'WABCDEFGHIJKLMNOPQRSTUV'[sum % 23] === found[7]?.toUpperCase();
};

function isCurp(found: string): boolean {
  const signs = '0123456789ABCDEFGHIJKLMNÑOPQRSTUVWXYZ';
  let sum = 0;
  for (let at = 0; at < 17; at += 1) sum += signs.indexOf(found[at] ?? '0') * (18 - at);
  return (10 - (sum % 10)) % 10 === Number(found[17]);
}

const isTaiwanese = (found: string): boolean => {
  const value = 'ABCDEFGHJKLMNPQRSTUVXYWZIO'.indexOf(found[0] ?? '') + 10;
  const sum = Array.from(found.slice(1, 9)).reduce(
    (total, digit, at) => total + Number(digit) * (8 - at),
    Math.floor(value / 10) + (value % 10) * 9,
  );
  return (sum + Number(found[9])) % 10 === 0;
};

const any = (): boolean => true;

/** Numbers of people with letters in them. */
const RULES: readonly LetteredRule[] = [
  {
    kind: 'es-nif',
    what: 'Spanish tax or foreigner number',
    pattern: /(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]/y,
    back: 2,
    isValid: isNif,
    fires: ['12345678Z', 'X1234567L'],
    passes: ['12345678A'],
  },
  {
    kind: 'it-fiscal-code',
    what: 'Italian fiscal code',
    pattern: /[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]/iy,
    back: 12,
    isValid: isFiscalCode,
    fires: ['RSSMRA85T10A562S'],
    passes: ['RSSMRA85T10A562T'],
  },
  {
    kind: 'uk-nino',
    what: 'United Kingdom national insurance number',
    pattern: /(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]/iy,
    back: 2,
    words: /\bnino?\b|national.?insurance|insurance.?number/i,
    isValid: any,
    fires: ['NINO AB123456C'],
    passes: ['AB123456C', 'NINO GB123456C'],
  },
  {
    kind: 'fi-hetu',
    isLoose: true,
    what: 'Finnish personal identity code',
    pattern: /\d{6}[-+A]\d{3}[0-9A-FHJ-NPR-Y]/y,
    back: 0,
    isValid: (found) => HETU_SIGNS[Number(found.slice(0, 6) + found.slice(7, 10)) % 31] === found[10],
    fires: ['131052-308T'],
    passes: ['131052-308U'],
  },
  {
    kind: 'ie-pps',
    what: 'Irish PPS number',
    pattern: /\d{7}[A-W][A-I]?/y,
    back: 0,
    words: /\bpps/i,
    isValid: ppsLetter,
    fires: ['PPS 1234567T'],
    passes: ['PPS 1234567U'],
  },
  {
    kind: 'sg-nric',
    what: 'Singaporean identity number',
    pattern: /[STFGM]\d{7}[A-Z]/y,
    back: 1,
    isValid: isSingaporean,
    fires: ['S1234567D'],
    passes: ['S1234567E'],
  },
  {
    kind: 'cn-resident-id',
    what: 'Chinese resident number',
    pattern: /[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dX]/iy,
    back: 0,
    isValid: isChinese,
    fires: ['11010519491231002X'],
    passes: ['110105194912310021'],
  },
  {
    kind: 'cl-rut',
    isLoose: true,
    what: 'Chilean RUT',
    pattern: /\d{1,2}\.\d{3}\.\d{3}-[\dK]/iy,
    back: 3,
    isValid: isChilean,
    fires: ['12.345.678-5'],
    passes: ['12.345.678-6'],
  },
  {
    kind: 'mx-curp',
    what: 'Mexican CURP',
    pattern: /[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d/y,
    back: 4,
    isValid: isCurp,
    fires: ['HEGG560427MVZRRL04'],
    passes: ['HEGG560427MVZRRL05'],
  },
  {
    kind: 'in-pan',
    what: 'Indian PAN',
    pattern: /[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]/y,
    back: 5,
    words: /\bpan\b|permanent account/i,
    isValid: any,
    fires: ['PAN ABCPE1234F'],
    passes: ['ABCPE1234F'],
  },
  {
    kind: 'tw-id',
    what: 'Taiwanese identity number',
    pattern: /[A-Z][1289]\d{8}/y,
    back: 1,
    words: /taiwan|身分證|身份證|national.?id|\bid\b/i,
    isValid: isTaiwanese,
    fires: ['national id A123456789'],
    passes: ['national id A123456788'],
  },
  {
    kind: 'hk-id',
    isLoose: true,
    what: 'Hong Kong identity number',
    pattern: /[A-Z]{1,2}\d{6}\([\dA]\)/y,
    back: 2,
    isValid: any,
    fires: ['A123456(3)'],
    passes: ['f(3)'],
  },
];

const isWord = (code: number): boolean =>
  code === 95 || (code >= 48 && code <= 57) || ((code | 32) >= 97 && (code | 32) <= 122);

/** One detector for each. */
export const LETTERED_NUMBERS: readonly ShapeDetector[] = RULES.map(
  ({ kind, what, pattern, back, words, isLoose, isValid, fires, passes }): ShapeDetector => ({
    id: `pii.${kind}`,
    category: 'pii',
    what,
    fires,
    passes,
    trigger: 'digits',
    ...(isLoose === true ? { digits: [6, 12] as const } : {}),
    isLettered: true,
    matchAt(text, start) {
      // Most numbers have no letter beside them; they cost one look.
      if (isLoose !== true && numberAt(text, start) !== undefined) return undefined;
      for (let from = Math.max(0, start - back); from <= start; from += 1) {
        if (from > 0 && isWord(text.charCodeAt(from - 1)) && text[from - 2] !== '\\') continue;
        pattern.lastIndex = from;
        const found = pattern.exec(text)?.[0];
        if (found === undefined || isWord(text.charCodeAt(from + found.length))) continue;
        if (!isValid(found) || (words !== undefined && !isAnnounced(text, from, words))) continue;
        return { start: from, end: from + found.length };
      }
      return undefined;
    },
  }),
);
