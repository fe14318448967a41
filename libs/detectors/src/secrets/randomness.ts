/** Bits for each character, by the text's own frequencies (Shannon); 0 for the empty text. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** What stands in a document where a reader's own value goes. */
const PLACEHOLDER =
  /x{5}|X{5}|0{9}|\*{3}|\.{3}|12345678|abcdefg|ABCDEFG|example|EXAMPLE|[yY]our|YOUR|placeholder|PLACEHOLDER|changeme|redacted|REDACTED|dummy|foobar/;
const DISTINCT_MIN = 6;

/** Whether an issued key has a body that a machine drew, and not one that a writer made up to show the form. */
export function looksRandom(found: string): boolean {
  const body = found.slice(-40);
  return !PLACEHOLDER.test(found) && new Set(body).size >= Math.min(DISTINCT_MIN, body.length / 2);
}

const DIGIT = /\d/;
const LETTER = /[A-Za-z]/;
const ENTROPY_MIN = 3;

/** The same for a value that only its context makes a key: letters and digits mixed, or long hex, and no words. */
export function looksIssued(found: string): boolean {
  return looksRandom(found) && DIGIT.test(found) && LETTER.test(found) && entropyOf(found) >= ENTROPY_MIN;
}
