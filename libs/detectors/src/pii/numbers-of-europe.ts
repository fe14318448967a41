import { isDay, isMultiple, iso7064, luhn, modulo, modulo11, remainder } from './checksums.js';
import type { NumberRule } from './number-rule.js';

/** Of Europe. */
export const NUMBERS_OF_EUROPE: readonly NumberRule[] = [
  {
    kind: 'uk-nhs',
    what: 'United Kingdom NHS number',
    length: 10,
    words: /\bnhs/i,
    isValid: (digits) => modulo11(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2], (rest) => rest % 11),
    fires: ['NHS 943 476 5919'],
    passes: ['NHS 943 476 5918'],
  },
  {
    kind: 'de-tax-id',
    what: 'German tax number',
    length: 11,
    grouped: /^ 2-3-3-3$/,
    words: /steuer|\bid.?nr|\btin\b|tax.?id/i,
    isValid: (digits) => !digits.startsWith('0') && iso7064(digits),
    fires: ['IdNr 86095742719', '86 095 742 719'],
    passes: ['86095742719', 'IdNr 86095742718'],
  },
  {
    kind: 'at-svnr',
    what: 'Austrian social insurance number',
    length: 10,
    words: /svnr|sozialversicherung|\bsvn\b/i,
    isValid: (digits) => remainder(digits, [3, 7, 9, 0, 5, 8, 4, 2, 1, 6], 11) === Number(digits[3]),
    fires: ['SVNR 1237 010180'],
    passes: ['SVNR 1238 010180'],
  },
  {
    kind: 'ch-ahv',
    what: 'Swiss social insurance number',
    length: 13,
    grouped: /^\.3-4-4-2$/,
    words: /\bahv|\bavs\b|sozialversicherung/i,
    isValid: (digits) =>
      digits.startsWith('756') &&
      (10 - (remainder(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3], 10) % 10)) % 10 === Number(digits[12]),
    fires: ['756.9217.0769.85'],
    passes: ['756.9217.0769.84'],
  },
  {
    kind: 'fr-nir',
    what: 'French social security number',
    length: 15,
    grouped: /^ 1-2-2-2-3-3-2$/,
    words: /\bnir\b|s[ée]curit[ée].?sociale|insee/i,
    isValid: (digits) =>
      /^[1-478]\d\d(?:0[1-9]|1[0-2]|[2-9]\d)/.test(digits) &&
      97 - modulo(digits.slice(0, 13), 97) === Number(digits.slice(13)),
    fires: ['1 85 05 78 006 084 91', 'NIR 185057800608491'],
    passes: ['1 85 05 78 006 084 92'],
  },
  {
    kind: 'be-national',
    what: 'Belgian national number',
    length: 11,
    grouped: /^\?2-2-2-3-2$/,
    words: /rijksregister|registre national|national.?number|insz|niss/i,
    isValid: (digits) =>
      isDay(digits, 'ymd') &&
      [digits.slice(0, 9), `2${digits.slice(0, 9)}`].some((each) => 97 - modulo(each, 97) === Number(digits.slice(9))),
    fires: ['85.07.30-033.28'],
    passes: ['85.07.30-033.29'],
  },
  {
    kind: 'nl-bsn',
    what: 'Dutch citizen service number',
    length: 9,
    words: /\bbsn\b|burgerservice|sofi/i,
    isValid: (digits) => isMultiple(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1], 11),
    fires: ['BSN 111222333'],
    passes: ['BSN 111222334'],
  },
  {
    kind: 'pt-nif',
    what: 'Portuguese tax number',
    length: 9,
    words: /\bnif\b|contribuinte/i,
    isValid: (digits) => modulo11(digits, [9, 8, 7, 6, 5, 4, 3, 2]),
    fires: ['NIF 123456789'],
    passes: ['NIF 123456788'],
  },
  {
    kind: 'it-vat',
    what: 'Italian VAT number',
    length: 11,
    words: /partita.?iva|p\.? ?iva/i,
    isValid: luhn,
    fires: ['Partita IVA 00743110157'],
    passes: ['Partita IVA 00743110158'],
  },
  {
    kind: 'se-personnummer',
    what: 'Swedish personal number',
    length: 10,
    words: /person.?n(?:umme)?r|\bpnr\b|samordning/i,
    isValid: (digits) => luhn(digits) && Number(digits.slice(2, 4)) <= 12 && Number(digits.slice(4, 6)) % 60 <= 31,
    fires: ['personnummer 811228-9874'],
    passes: ['personnummer 811228-9873', '811228-9874'],
  },
  {
    kind: 'no-fodselsnummer',
    what: 'Norwegian birth number',
    length: 11,
    words: /f[øo]dselsn|personn|\bfnr\b/i,
    isValid: (digits) =>
      modulo11(digits, [3, 7, 6, 1, 8, 9, 4, 5, 2]) && modulo11(digits, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]),
    fires: ['fødselsnummer 01010750160'],
    passes: ['fødselsnummer 01010750161'],
  },
  {
    kind: 'dk-cpr',
    what: 'Danish personal number',
    length: 10,
    words: /\bcpr\b|personnummer/i,
    isValid: (digits) => isDay(digits, 'dmy'),
    fires: ['CPR 070761-4285'],
    passes: ['070761-4285', 'CPR 991361-4285'],
  },
  {
    kind: 'pl-pesel',
    what: 'Polish PESEL number',
    length: 11,
    words: /pesel/i,
    isValid: (digits) => isMultiple(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1], 10),
    fires: ['PESEL 44051401359'],
    passes: ['PESEL 44051401358'],
  },
  {
    kind: 'cz-rodne-cislo',
    what: 'Czech or Slovak birth number',
    length: 10,
    grouped: /^\/6-4$/,
    words: /rodn[ée]|birth.?number/i,
    isValid: (digits) => modulo(digits, 11) === 0 && Number(digits.slice(2, 4)) % 50 <= 32,
    fires: ['736028/5163'],
    passes: ['736028/5164'],
  },
  {
    kind: 'ro-cnp',
    what: 'Romanian personal number',
    length: 13,
    words: /\bcnp\b|cod numeric/i,
    isValid: (digits) => remainder(digits, [2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9], 11) % 10 === Number(digits[12]),
    fires: ['CNP 1800101221144'],
    passes: ['CNP 1800101221145'],
  },
  {
    kind: 'bg-egn',
    what: 'Bulgarian personal number',
    length: 10,
    words: /\begn\b|егн/i,
    isValid: (digits) => remainder(digits, [2, 4, 8, 5, 10, 9, 7, 3, 6], 11) % 10 === Number(digits[9]),
    fires: ['EGN 7523169263'],
    passes: ['EGN 7523169264'],
  },
  {
    kind: 'gr-amka',
    what: 'Greek social security number',
    length: 11,
    words: /\bamka\b|αμκα/i,
    isValid: (digits) => luhn(digits) && isDay(digits, 'dmy'),
    fires: ['AMKA 01010100012'],
    passes: ['AMKA 01010100013'],
  },
  {
    kind: 'hr-oib',
    what: 'Croatian personal number',
    length: 11,
    words: /\boib\b/i,
    isValid: iso7064,
    fires: ['OIB 33392005961'],
    passes: ['OIB 33392005962'],
  },
  {
    kind: 'tr-tckn',
    what: 'Turkish identity number',
    length: 11,
    words: /tc ?kn|kimlik|t\.?c\.? ?(?:no|id)/i,
    isValid: isTurkish,
    fires: ['TC kimlik 10000000146'],
    passes: ['TC kimlik 10000000147'],
  },
];

function isTurkish(digits: string): boolean {
  const at = (index: number): number => Number(digits[index]);
  const odd = at(0) + at(2) + at(4) + at(6) + at(8);
  const even = at(1) + at(3) + at(5) + at(7);
  const first = (((odd * 7 - even) % 10) + 10) % 10;
  return at(0) !== 0 && first === at(9) && (odd + even + at(9)) % 10 === at(10);
}
