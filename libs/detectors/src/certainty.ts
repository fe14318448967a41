import type { Hit } from './detector.js';
import type { Reading } from './text-reading.js';

/** From here on a hit is a finding. */
export const CERTAIN = 0.5;
/** Descriptions of tools have no reason to speak to their reader. */
const CERTAIN_IN_DEFINITION = 0.5;

/** Whether a hit of this certainty is told. */
export const isCertain = (certainty: number, reading: Reading): boolean =>
  certainty >= (reading === 'definition' ? CERTAIN_IN_DEFINITION : CERTAIN);

/** Weights count together within this many characters: a screenful. */
const NEAR_CHARS = 700;
/** Neighbours looked at on each side of a hit; a text of nothing but signs costs linear time. */
const NEIGHBOURS_MAX = 24;

/**
 * How sure each hit is, given what else stands near it: signs that mean little alone add up, each kind once
 * (1 - (1 - a)(1 - b)...). What is sure by itself, secrets and personal data, stays as it is.
 */
export function weighTogether(hits: readonly Hit[]): readonly Hit[] {
  if (!hits.some(({ certainty }) => certainty < 1)) return hits;
  const ordered = [...hits].sort((one, other) => one.start - other.start);
  return ordered.map((hit, at) => (hit.certainty === 1 ? hit : { ...hit, certainty: together(ordered, at) }));
}

function together(ordered: readonly Hit[], at: number): number {
  const hit = ordered[at]!;
  const strongest = new Map<string, number>();
  const last = Math.min(ordered.length - 1, at + NEIGHBOURS_MAX);
  for (let index = Math.max(0, at - NEIGHBOURS_MAX); index <= last; index += 1) {
    const near = ordered[index]!;
    if (near.category !== 'injection' || near.start > hit.end + NEAR_CHARS || near.end < hit.start - NEAR_CHARS) {
      continue;
    }
    strongest.set(near.detector, Math.max(strongest.get(near.detector) ?? 0, near.certainty));
  }
  let doubt = 1;
  for (const weight of strongest.values()) doubt *= 1 - weight;
  return 1 - doubt;
}
