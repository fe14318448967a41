/**
 * Formats of keys as their issuers write them: fixed text, and in braces an alphabet and a length (`ghp_{aA0:36}`,
 * `{h:32-64}`). Letters of the alphabet: `a` lower case, `A` upper case, `0` digits, `h` lower and `H` any-case hex,
 * `b` base32; other characters stand for themselves.
 */
const SLOT = /\{([^:{}]+):(\d+)(?:-(\d+))?\}/g;
const RANGES: Readonly<Record<string, string>> = {
  a: 'a-z',
  A: 'A-Z',
  0: '0-9',
  h: '0-9a-f',
  H: '0-9a-fA-F',
  b: 'A-Z2-7',
};
const LETTERS: Readonly<Record<string, string>> = {
  a: 'qzkvxwjbnrtysgmfpchdlueoia',
  A: 'QZKVXWJBNRTYSGMFPCHDLUEOIA',
  0: '7294163805',
  h: '7a9e4c1f63b8d205',
  H: '7A9e4C1f63B8d205',
  b: 'QZ7KVX4WJB2NRT6YSG3MFP5CHDLUEOIA',
};

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
const classOf = (alphabet: string): string =>
  `[${Array.from(alphabet, (letter) => RANGES[letter] ?? escaped(letter)).join('')}]`;

/** The source of a regular expression for a format. */
export function formatSource(format: string): string {
  let source = '';
  let from = 0;
  for (const slot of format.matchAll(SLOT)) {
    const [whole, alphabet = '', min = '', max] = slot;
    source += `${escaped(format.slice(from, slot.index))}${classOf(alphabet)}{${max === undefined ? min : `${min},${max}`}}`;
    from = slot.index + whole.length;
  }
  return source + escaped(format.slice(from));
}

/** A text of that format, the same each time; with a mark between prefix and body, so that no scanner takes it for real. */
export function formatSample(format: string): string {
  let turn = 0;
  return format.replace(SLOT, (_whole, alphabet: string, min: string) => {
    const letters = Array.from(alphabet, (letter) => LETTERS[letter] ?? '');
    const filled = Array.from({ length: Number(min) }, () => {
      turn += 1;
      const pool = letters[turn % letters.length] || (letters[0] ?? '');
      return pool[(turn * 7 + (turn >> 2)) % pool.length] ?? '';
    });
    return filled.join('');
  });
}

/** The fixed text a format begins with, in lower case: what announces it. */
export function formatPrefix(format: string): string {
  const brace = format.indexOf('{');
  return (brace < 0 ? format : format.slice(0, brace)).toLowerCase();
}
