import { createHash } from 'node:crypto';

/** `held-back` sources were not looked at while rules were written; a third of them, told by their name alone. */
export type Half = 'written-against' | 'held-back';

/** The half that a source of evaluation cases belongs to, the same on every machine and for ever. */
export function halfOf(source: string): Half {
  const [first = 0] = createHash('sha256').update(source).digest();
  return first % 3 === 0 ? 'held-back' : 'written-against';
}
