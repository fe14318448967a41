import type { LiteralDetector, LiteralForm, Span } from '../detector.js';
import { WORD_START } from '../word-start.js';
import { formatPrefix, formatSample, formatSource } from './format.js';
import { looksRandom } from './randomness.js';

/** Kind, what it is, and its formats: each holds three fixed characters in a row, by which it is noticed. */
export type SecretFormat = readonly [kind: string, what: string, formats: readonly string[]];

const FIXED_MIN = 3;
const LITERAL_MAX = 24;
const END = '(?![A-Za-z0-9])';
/** A query's or a header's name in front of a value stays; what issuers write themselves goes with the key. */
const NAME = /^(?:[^{}]*[=?]|Authorization: \w+ |--token )(?=\{)/;

function formOf(format: string): LiteralForm {
  if (formatPrefix(format).length < FIXED_MIN) return formAround(format);
  const name = NAME.exec(format)?.[0] ?? '';
  const rest = formatSource(format.slice(name.length));
  const source = name === '' ? rest : `${formatSource(name)}(${rest})`;
  // A name may be the end of a longer one, a key never is.
  const before = name === '' ? WORD_START : '';
  return {
    literals: [formatPrefix(format).slice(0, LITERAL_MAX)],
    pattern: new RegExp(`${before}${source}${END}`, name === '' ? 'y' : 'iy'),
  };
}

/** For a format that is noticed by something in its middle or at its end. */
function formAround(format: string): LiteralForm {
  const fixed = /\}([^{}]{3,})/.exec(format);
  if (fixed === null) throw new RangeError(`${format} has nothing to be noticed by`);
  const at = fixed.index + 1;
  const lead = formatSource(format.slice(0, at));
  const rest = format.slice(at);
  return {
    literals: [formatPrefix(rest).slice(0, LITERAL_MAX)],
    pattern: new RegExp(`(?<=(?<![A-Za-z0-9+/_-])(${lead}))${formatSource(rest)}${END}`, 'y'),
    isGroupInFront: true,
  };
}

/** Takes out nothing that was only written to show the form. */
export function onlyIf(accepts: (found: string) => boolean): (text: string, match: Span) => Span | undefined {
  return (text, match) => (accepts(text.slice(match.start, match.end)) ? match : undefined);
}

/** One detector for each kind, with a sample made from its first format and one that is cut short. */
export function issuedKeys(formats: readonly SecretFormat[]): LiteralDetector[] {
  return formats.map(([kind, what, each]) => {
    const [first = ''] = each;
    const sample = formatSample(first);
    return {
      id: `secret.${kind}`,
      category: 'secret',
      what,
      fires: each.map(formatSample),
      passes: [sample.slice(0, Math.min(formatPrefix(first).length + 6, sample.length - 1))],
      trigger: 'literal',
      forms: each.map(formOf),
      extend: onlyIf(looksRandom),
    };
  });
}
