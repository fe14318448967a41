import type { ExactList, Finding } from '@warder/contracts';
import type { Actions } from './actions.js';
import { placeholderFor } from './redaction.js';
import type { Phase, Screening } from './screening-engine.js';

/** Stands in findings where a node has not the key of a list of exact values. */
export const UNDECIDED = 'undecided.exact-values';

/**
 * A screening by an engine that has not the key of these lists: whether one of their values stands there it cannot say.
 * What cannot be decided ends there and is not kept, unless the list says `open`; either is on record.
 */
export function withUndecided(
  screening: Screening,
  lists: readonly ExactList[],
  phase: Phase,
  actions: Actions,
): Screening {
  const asked = lists.filter(({ id, category }) => actions.of(id, category).action !== 'off');
  if (asked.length === 0) return screening;
  const findings = asked.map(({ category, onError }): Finding => ({
    detector: UNDECIDED,
    category,
    action: onError === 'closed' ? 'block' : 'log',
    phase,
    place: '',
    count: 1,
  }));
  const told = { findings: [...screening.findings, ...findings] };
  if (asked.every(({ onError }) => onError === 'open')) return { ...screening, ...told };
  return { verdict: 'reject', value: placeholderFor(UNDECIDED), ...told };
}
