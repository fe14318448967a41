import { AnswerMalformed } from './provider-kind.js';

/**
 * Turns offsets in Unicode code points, as Python counts, into UTF-16 units.
 * @throws AnswerMalformed for what does not lie within the text or is empty
 */
export function spanOfCodePoints(text: string): (start: number, end: number) => { start: number; end: number } {
  // Without a surrogate both count alike, which is nearly always.
  const offsets = /[\ud800-\udfff]/.test(text) ? offsetsOf(text) : undefined;
  const length = offsets === undefined ? text.length : offsets.length - 1;
  return (start, end) => {
    if (start < 0 || end <= start || end > length) throw new AnswerMalformed('a span that is not in the text');
    return offsets === undefined ? { start, end } : { start: offsets[start]!, end: offsets[end]! };
  };
}

function offsetsOf(text: string): number[] {
  const offsets: number[] = [];
  let at = 0;
  for (const character of text) {
    offsets.push(at);
    at += character.length;
  }
  offsets.push(at);
  return offsets;
}
