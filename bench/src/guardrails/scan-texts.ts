import { prose, seededRandom } from '../prose.js';

/** A kind of text as answers bring it, of exactly so many characters. */
export type TextKind = (chars: number, seed: number) => string;

const filled = (part: (random: () => number) => string): TextKind => {
  return (chars, seed) => {
    const random = seededRandom(seed);
    let text = '';
    while (text.length < chars) text += part(random);
    return text.slice(0, chars);
  };
};

const number = (random: () => number, below: number): number => Math.floor(random() * below);
const hex = (random: () => number, chars: number): string =>
  Array.from({ length: chars }, () => number(random, 16).toString(16)).join('');
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** What the engine reads in service, and what makes rules slow. */
export const TEXT_KINDS: Readonly<Record<string, TextKind>> = {
  docs: filled(
    (random) => `## ${prose(random, 24)}\n\n${prose(random, 400)} See [the page](https://docs.acme.test/a).\n\n`,
  ),
  json: filled(
    (random) =>
      `{"id": ${number(random, 1e9)}, "sha": "${hex(random, 40)}", "updated_at": "2026-11-0${1 + number(random, 9)}T10:0${number(random, 10)}:00Z", "title": "${prose(random, 60)}", "labels": ["bug", "p${number(random, 4)}"]},\n`,
  ),
  code: filled(
    (random) =>
      `export function step${number(random, 999)}(input: Readonly<Record<string, number>>): number {\n  // ${prose(random, 50)}\n  return input['value'] ?? ${number(random, 99)};\n}\n\n`,
  ),
  logs: filled(
    (random) =>
      `2026-11-29T10:${10 + number(random, 50)}:${10 + number(random, 50)}.${100 + number(random, 900)}Z INFO worker-${number(random, 9)} GET /v1/orders/${number(random, 99_999)} 200 ${number(random, 400)}ms request=${hex(random, 16)}\n`,
  ),
  base64: filled((random) => LETTERS[number(random, LETTERS.length)] ?? 'A'),
  'ignore all the': filled(() => 'ignore all the your '),
  addresses: filled((random) => `https://a${number(random, 99)}:${hex(random, 4)} a@a.co +1 `),
  escapes: filled(() => '%41\\u0042&#67; eht '),
};
