import { isDay, isMultiple, luhn, modulo11, remainder, verhoeff } from './checksums.js';
import type { NumberRule } from './number-rule.js';

const US_AREA = /^(?!000|666|9\d\d|123456789|078051120|219099999)\d{3}(?!00)\d{2}(?!0000)\d{4}$/;
const ITIN = /^9\d\d(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\d{4}$/;

/** Of America, Asia, Africa and Australia. */
export const NUMBERS_OF_THE_WORLD: readonly NumberRule[] = [
  {
    kind: 'us-ssn',
    what: 'United States social security number',
    length: 9,
    grouped: /^[- ]3-2-4$/,
    words: /\bssn\b|social.?security/i,
    isValid: (digits) => US_AREA.test(digits),
    fires: ['541-32-7896', 'ssn: 541327896'],
    passes: ['000-52-9808', '541327896'],
  },
  {
    kind: 'us-itin',
    what: 'United States taxpayer number',
    length: 9,
    grouped: /^[- ]3-2-4$/,
    words: /\bitin\b|taxpayer/i,
    isValid: (digits) => ITIN.test(digits),
    fires: ['itin 971-78-4321'],
    passes: ['971-49-4321'],
  },
  {
    kind: 'us-routing',
    what: 'United States bank routing number',
    length: 9,
    words: /routing|\baba\b|\brtn\b/i,
    isValid: (digits) =>
      /^(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)/.test(digits) &&
      isMultiple(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1], 10),
    fires: ['routing number 021000021'],
    passes: ['021000021', 'routing 021000022'],
  },
  {
    kind: 'us-npi',
    what: 'United States health provider number',
    length: 10,
    words: /\bnpi\b|provider identifier/i,
    isValid: (digits) => luhn(`80840${digits}`),
    fires: ['NPI 1234567893'],
    passes: ['NPI 1234567894'],
  },
  {
    kind: 'ca-sin',
    what: 'Canadian social insurance number',
    length: 9,
    words: /\bsin\b|social.?insurance|assurance.?sociale/i,
    isValid: (digits) => !digits.startsWith('0') && luhn(digits),
    fires: ['SIN 130-692-544'],
    passes: ['130-692-544', 'SIN 130-692-545'],
  },
  {
    kind: 'au-tfn',
    what: 'Australian tax file number',
    length: 9,
    words: /\btfn\b|tax.?file/i,
    isValid: (digits) => isMultiple(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10], 11),
    fires: ['TFN 123 456 782'],
    passes: ['TFN 123 456 783'],
  },
  {
    kind: 'au-medicare',
    what: 'Australian Medicare number',
    length: 10,
    words: /medicare/i,
    isValid: (digits) => /^[2-6]/.test(digits) && remainder(digits, [1, 3, 7, 9, 1, 3, 7, 9], 10) === Number(digits[8]),
    fires: ['Medicare 2123 45670 1'],
    passes: ['Medicare 2123 45671 1'],
  },
  {
    kind: 'au-abn',
    what: 'Australian business number',
    length: 11,
    words: /\babn\b|business.?number/i,
    isValid: (digits) =>
      isMultiple(`${Number(digits[0]) - 1}${digits.slice(1)}`, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19], 89),
    fires: ['ABN 51 824 753 556'],
    passes: ['ABN 51 824 753 557'],
  },
  {
    kind: 'nz-ird',
    what: 'New Zealand tax number',
    length: 9,
    words: /\bird\b/i,
    isValid: (digits) => modulo11(digits, [3, 2, 7, 6, 5, 4, 3, 2], (rest) => rest % 11),
    fires: ['IRD 049-091-850'],
    passes: ['IRD 049-091-851'],
  },
  {
    kind: 'il-id',
    what: 'Israeli identity number',
    length: 9,
    words: /teudat|israeli? id|ת\.?ז|תעודת/i,
    isValid: luhn,
    fires: ['teudat zehut 123456782'],
    passes: ['teudat zehut 123456783'],
  },
  {
    kind: 'in-aadhaar',
    what: 'Indian Aadhaar number',
    length: 12,
    grouped: /^[ -]4-4-4$/,
    words: /aadhaar|aadhar|uidai|\buid\b/i,
    isValid: (digits) => /^[2-9]/.test(digits) && verhoeff(digits),
    fires: ['2345 6789 0124'],
    passes: ['2345 6789 0123'],
  },
  {
    kind: 'br-cpf',
    what: 'Brazilian CPF number',
    length: 11,
    grouped: /^\?3-3-3-2$/,
    words: /\bcpf\b/i,
    isValid: isCpf,
    fires: ['529.982.247-25'],
    passes: ['529.982.247-26', '111.111.111-11'],
  },
  {
    kind: 'ar-cuil',
    what: 'Argentine CUIT or CUIL',
    length: 11,
    grouped: /^-2-8-1$/,
    words: /cui[tl]/i,
    isValid: (digits) => modulo11(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2], (rest) => (rest === 11 ? 0 : rest)),
    fires: ['20-12345678-6'],
    passes: ['20-12345678-5'],
  },
  {
    kind: 'kr-rrn',
    what: 'Korean resident number',
    length: 13,
    grouped: /^-6-7$/,
    words: /주민|\brrn\b|resident registration/i,
    isValid: (digits) =>
      isDay(digits, 'ymd') &&
      /^\d{6}[1-8]/.test(digits) &&
      (11 - remainder(digits, [2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5], 11)) % 10 === Number(digits[12]),
    fires: ['900101-1234568'],
    passes: ['900101-1234567'],
  },
  {
    kind: 'jp-my-number',
    what: 'Japanese My Number',
    length: 12,
    words: /マイナンバー|個人番号|my.?number/i,
    isValid: (digits) => {
      const rest = remainder(digits, [6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2], 11);
      return (rest <= 1 ? 0 : 11 - rest) === Number(digits[11]);
    },
    fires: ['my number 1234 5678 9018'],
    passes: ['my number 1234 5678 9012'],
  },
  {
    kind: 'th-id',
    what: 'Thai identity number',
    length: 13,
    grouped: /^[- ]1-4-5-2-1$/,
    words: /thai|บัตรประชาชน|national.?id/i,
    isValid: (digits) =>
      (11 - remainder(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2], 11)) % 10 === Number(digits[12]),
    fires: ['1-2345-67890-12-1'],
    passes: ['1-2345-67890-12-2'],
  },
  {
    kind: 'my-nric',
    what: 'Malaysian identity number',
    length: 12,
    words: /mykad|nric|\bic (?:no|number)/i,
    isValid: (digits) => isDay(digits, 'ymd'),
    fires: ['MyKad 900101-14-5678'],
    passes: ['900101-14-5678', 'MyKad 991901-14-5678'],
  },
  {
    kind: 'id-nik',
    what: 'Indonesian identity number',
    length: 16,
    words: /\bnik\b|\bktp\b/i,
    isValid: (digits) =>
      Number(digits.slice(8, 10)) >= 1 && Number(digits.slice(8, 10)) <= 12 && Number(digits.slice(6, 8)) % 40 <= 31,
    fires: ['NIK 3171231705900123'],
    passes: ['NIK 3171239999990123'],
  },
  {
    kind: 'za-id',
    what: 'South African identity number',
    length: 13,
    words: /south african|\brsa id|\bsa id|id.?number|identity number/i,
    isValid: (digits) => luhn(digits) && isDay(digits, 'ymd'),
    fires: ['SA ID 8001015009087'],
    passes: ['SA ID 8001015009088', '8001015009087'],
  },
];

function isCpf(digits: string): boolean {
  const check = (length: number): number => {
    const weights = Array.from({ length }, (_, at) => length + 1 - at);
    return ((remainder(digits, weights, 11) * 10) % 11) % 10;
  };
  return !/^(\d)\1{10}$/.test(digits) && check(9) === Number(digits[9]) && check(10) === Number(digits[10]);
}
