import type { LiteralDetector } from '../detector.js';
import { formatSample, formatSource } from './format.js';
import { onlyIf } from './issued-key.js';
import { looksIssued, looksRandom } from './randomness.js';

/** Kind, what it is, the names that stand in front, and the formats of the value. */
export type NamedSecret = readonly [kind: string, what: string, names: readonly string[], formats: readonly string[]];

/** The rest of a name, then `=`, `:`, `=>`, `:=`, `,` or `is`, with the quotes and escapes of any language. */
export const ASSIGNED = String.raw`[\w .-]{0,32}?["'\`\\\])]{0,4}[ \t]{0,4}(?:=>|:{1,3}=|\?=|\|\||[:=,>]|is )(?:[ \t"'\`(=]|\\{1,4}[rnt]?){0,6}`;
const END = String.raw`(?![A-Za-z0-9_+/=-])`;
const DIGITS_ONLY = /^\d+$/;

const accepts = (found: string): boolean => (DIGITS_ONLY.test(found) ? looksRandom(found) : looksIssued(found));

/** One detector for each issuer. */
export function namedKeys(secrets: readonly NamedSecret[]): LiteralDetector[] {
  return secrets.map(([kind, what, names, formats]) => {
    const [name = ''] = names;
    const sources = formats.map(formatSource);
    return {
      id: `secret.named-${kind}`,
      category: 'secret',
      what,
      fires: formats.map((format) => `${name}_key = "${formatSample(format)}"`),
      passes: [`${name} ${formatSample(formats[0] ?? '')}`, `${name}_key = os.environ`],
      trigger: 'literal',
      forms: [
        {
          literals: names,
          pattern: new RegExp(`(?:${names.join('|')})${ASSIGNED}(${sources.join('|')})${END}`, 'iy'),
        },
      ],
      extend: onlyIf(accepts),
    };
  });
}
