import type { LiteralDetector } from '../detector.js';

export const ROT13 = 1;
export const REVERSED = 2;
export const LEET = 4;
export const UNICODE_TAGS = 8;

const cue = (bit: number, kind: string, literals: readonly string[]): LiteralDetector => ({
  id: `evasion.${kind}`,
  category: 'injection',
  what: `A text that reads ${kind}`,
  fires: [],
  passes: [],
  trigger: 'literal',
  forms: [{ literals, pattern: /(?:)/y }],
  cue: bit,
});

/** Common words as they look after a letter-by-letter disguise; none of them stands in a text that wears none. */
export const CUES: readonly LiteralDetector[] = [
  cue(ROT13, 'rot13', [' gur ', ' naq ', ' lbhe ', 'vtaber', 'vafgehpg', 'cebzcg', 'cerivbh', 'flfgrz', 'frperg']),
  cue(REVERSED, 'backwards', [' eht ', ' ruoy ', 'noitcurtsni', 'erongi ', 'suoiverp', 'tpmorp', 'drawrof', 'terces']),
  cue(LEET, 'in digits', [
    'th3 ',
    'y0u',
    'pr3v',
    'gn0r',
    '1gn',
    '1n5',
    '1ns',
    'nstruct1',
    'n57r',
    's3cr',
    '53cr',
    '5y5',
    'syst3m',
    'pr0m',
    'f0rg',
    '0v3r',
    'm355',
    'm3ss',
    '4nd ',
    '4ll ',
    'c0nt',
    '53nd',
    's3nd',
    'd15r',
    'd1sr',
    'f0ll',
    'ev3ry',
    'r3ad',
    'r34d',
  ]),
];
