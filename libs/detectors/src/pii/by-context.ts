import type { LiteralDetector } from '../detector.js';

interface Announced {
  readonly kind: string;
  readonly what: string;
  readonly literals: readonly string[];
  readonly pattern: RegExp;
  readonly fires: readonly string[];
  readonly passes: readonly string[];
}

/** From a name to its value: a few words, signs and quotes, or a table's other headings. */
const IS = String.raw`(?:[ _-]?(?:no|nr|number|num|id|code|card|#)\b)?[.:#]{0,2}["'\`|]{0,2}\s{0,4}(?:is|was|are|of|=|:|=>|\|)?\s{0,4}["'\`(]{0,2}`;
const FAR = String.raw`[^]{0,160}?(?<![A-Za-z0-9-])`;

const DATE = String.raw`(?:\d{4}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12]\d|3[01])|(?:0?[1-9]|[12]\d|3[01])[-/. ](?:0?[1-9]|1[0-2]|[A-Za-z]{3,9})[-/., ]{1,2}(?:19|20)\d{2}|(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])/(?:19|20)?\d{2}|[A-Z][a-z]{2,8} \d{1,2}(?:st|nd|rd|th)?,? (?:19|20)\d{2})`;

const RULES: readonly Announced[] = [
  {
    kind: 'date-of-birth',
    what: 'Date of birth',
    literals: [
      'date of birth',
      'date_of_birth',
      'dateofbirth',
      'birth date',
      'birth_date',
      'birthdate',
      'birthday',
      'born on',
      'dob',
      'geburtsdatum',
      'geboren am',
      'date de naissance',
      'née le',
      'né le',
      'fecha de nacimiento',
      'data di nascita',
      'data de nascimento',
    ],
    pattern: new RegExp(
      `(?:date[ _]?of[ _]?birth|birth[ _]?date|birthday|born on|\\bdob|geburtsdatum|geboren am|date de naissance|née? le|fecha de nacimiento|data d[ie] nasci(?:ta|mento))${IS}(${DATE})(?!\\d)`,
      'iy',
    ),
    fires: ['date of birth: 1984-03-21', 'DOB 03/21/1984', 'born on 21 March 1984'],
    passes: ['the date of birth is required', 'created 1984-03-21'],
  },
  {
    kind: 'passport',
    what: 'Passport number behind its name',
    literals: ['passport', 'passeport', 'reisepass', 'pasaporte', 'passaporto', 'passnummer'],
    pattern: new RegExp(
      `(?:passport|passeport|reisepass|pasaporte|passaporto|passnummer)${IS}((?=[A-Z0-9]{0,3}\\d{3})[A-Z0-9]{6,9}\\d?)(?![A-Za-z0-9])`,
      'iy',
    ),
    fires: ['passport no. C01X00T47'.replace('C01X00T47', 'C12345678'), 'Passport: 123456789'],
    passes: ['passport authentication', 'passport strategy local'],
  },
  {
    kind: 'driving-licence',
    what: 'Driving licence number behind its name',
    literals: [
      "driver's licen",
      'driver licen',
      'drivers licen',
      'driving licen',
      'driver_licen',
      'drivers_licen',
      'führerschein',
      'permis de conduire',
      'patente di guida',
      'carnet de conducir',
      'rijbewijs',
    ],
    pattern: new RegExp(
      `(?:driver'?s?[ _]licen[cs]e|driving[ _]licen[cs]e|führerschein|permis de conduire|patente di guida|carnet de conducir|rijbewijs)(?:nummer)?${IS}((?=[A-Z-]{0,6}\\d{2})(?:[A-Z0-9]{1,4}-)?[A-Z0-9][A-Z0-9-]{4,17}[A-Z0-9])(?![A-Za-z0-9])`,
      'iy',
    ),
    fires: ["My driver's license number is F162823540116", 'driving licence: MORGA657054SM9IJ'],
    passes: ["a driver's license is needed", 'driving licence holders'],
  },
  {
    kind: 'vin',
    what: 'Vehicle identification number behind its name',
    literals: ['vin:', 'vin ', 'vin=', 'vin"', 'vin,', 'vin|', 'vin#', 'vehicle identification', 'chassis'],
    pattern: new RegExp(
      `(?<![A-Za-z])(?:vin|vehicle identification(?: number)?|chassis(?: number| no)?)(?![a-z])${FAR}((?=[A-Z]{0,16}\\d)(?=[0-9]{0,16}[A-Z])[A-HJ-NPR-Z0-9]{17})(?![A-Za-z0-9-])`,
      'iy',
    ),
    fires: ['VIN: 1HGCM82633A004352'],
    passes: ['vin: red wine', '1HGCM82633A004352'],
  },
  {
    kind: 'us-mbi',
    what: 'United States Medicare number behind its name',
    literals: ['mbi', 'medicare'],
    pattern: new RegExp(
      `(?:mbi|medicare)(?![a-z])${FAR}([1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\\d-?[AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y0-9]\\d-?[AC-HJKMNP-RT-Y]{2}\\d{2})(?![A-Za-z0-9])`,
      'iy',
    ),
    fires: ['MBI 1EG4-TE5-MK73'],
    passes: ['combined 1EG4-TE5', '1EG4-TE5-MK73'],
  },
  {
    kind: 'national-insurance-spaced',
    what: 'United Kingdom national insurance number, by twos',
    literals: ['nino', 'national insurance', 'insurance n', 'ni number'],
    pattern: new RegExp(
      `(?:nino|national insurance|insurance n|ni number)${FAR}([A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] \\d{2} \\d{2} \\d{2} [A-D])(?![A-Za-z0-9])`,
      'iy',
    ),
    fires: ['NINO AB 12 34 56 C'],
    passes: ['NINO 12 34 56'],
  },
  {
    kind: 'crypto-wallet',
    what: 'Address of a Bitcoin wallet',
    literals: ['bitcoin', 'btc', 'wallet', 'bc1q', 'bc1p'],
    pattern: new RegExp(
      `(?:(?:bitcoin|btc|wallet)${FAR}([13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[a-z0-9]{25,87})|bc1[qp][a-z0-9]{30,80})(?![A-Za-z0-9])`,
      'iy',
    ),
    fires: ['my wallet: 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2', 'bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq'],
    passes: ['a bitcoin is a coin'],
  },
];

/** What only its name tells, because its form is any number's. */
export const PII_BY_CONTEXT: readonly LiteralDetector[] = RULES.map(
  ({ kind, what, literals, pattern, fires, passes }) => ({
    id: `pii.${kind}`,
    category: 'pii',
    what,
    fires,
    passes,
    trigger: 'literal',
    forms: [{ literals, pattern }],
  }),
);
