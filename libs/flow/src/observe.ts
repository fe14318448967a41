import { criticalValues, LEAF_CHARS_MAX } from './critical-values.js';
import { has, LABEL_BIT } from './labels.js';
import { walkLeaves } from './leaves.js';
import { type FlowSource, hashOf, type Run, SOURCES_MAX, VALUES_MAX } from './run.js';

/** Characters of one answer that are looked at. */
export const ANSWER_CHARS_MAX = 262_144;

/** What an answer added to its run: what other nodes have to hear of. */
export interface Observed {
  readonly bits: number;
  /** Keyed hashes that were not known before. */
  readonly values: readonly string[];
  /** More was in it than is remembered: the run is unknown from now on. */
  readonly isCut: boolean;
}

const NOTHING: Observed = { bits: 0, values: [], isCut: false };

/**
 * Notes what an answer brought into its run, before any of it is released. Total: whatever is too much makes the run
 * unknown, it is never forgotten.
 * @param answer - result, error or interim message, as a JSON value
 * @param key - of the deployment
 */
export function observe(run: Run, source: FlowSource, answer: unknown, key: string): Observed {
  // What a sanitiser answers is safe to act on; that is what its label says.
  if (has(source.bits, 'sanitiser')) return NOTHING;
  const bits = source.bits & (LABEL_BIT.untrusted | LABEL_BIT.private);
  const isNews = (run.bits | bits) !== run.bits;
  run.bits |= bits;
  if (!has(bits, 'untrusted')) return isNews ? { bits, values: [], isCut: false } : NOTHING;
  const at = indexOf(run, source);
  const values: string[] = [];
  let isCut = false;
  let charsLeft = ANSWER_CHARS_MAX;
  const isWhole = walkLeaves(answer, (text) => {
    charsLeft -= text.length;
    if (text.length > LEAF_CHARS_MAX || charsLeft < 0) isCut = true;
    if (charsLeft < 0) return;
    for (const value of criticalValues(text)) {
      const hash = hashOf(key, value);
      if (run.values.has(hash)) continue;
      if (run.values.size >= VALUES_MAX) {
        isCut = true;
        return;
      }
      run.values.set(hash, at);
      values.push(hash);
    }
  });
  isCut ||= !isWhole;
  if (isCut) run.isUnknown = true;
  return isNews || values.length > 0 || isCut ? { bits, values, isCut } : NOTHING;
}

/** The place of a source in its run's list; past the bound everything is told of the last one. */
function indexOf(run: Run, source: FlowSource): number {
  const known = run.sources.findIndex(({ callId }) => callId === source.callId);
  if (known !== -1) return known;
  if (run.sources.length < SOURCES_MAX) run.sources.push(source);
  return run.sources.length - 1;
}
