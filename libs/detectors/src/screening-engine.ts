import type { Finding, GuardrailActions } from '@warder/contracts';
import type { ActionScope, BothActions, BothWords } from './action-matrix.js';
import type { Actions } from './actions.js';
import type { Hit } from './detector.js';
import type { Reading } from './text-reading.js';

/** The direction of what is screened, as it stands in a finding. */
export type Phase = Finding['phase'];

/**
 * What to do with a value. On `pass` the value is the same reference that came in; on `mutate` it is a copy in which
 * only the spans found are replaced; on `reject` it is masked for the record and must not be sent on.
 */
export interface Screening {
  readonly verdict: 'pass' | 'mutate' | 'reject';
  readonly value: unknown;
  readonly findings: readonly Finding[];
}

/** Decides about parsed JSON: pure, without a clock or I/O, on the path of every call. */
export interface ScreeningEngine {
  /** The sum of the versions of its packs, which grows with every change of one of them. */
  readonly version: number;
  /** Ids that a rule pack names and this build does not know; the others work. */
  readonly unknownDetectors: readonly string[];
  /**
   * What stands in one text, with places and how sure each is; signs too weak to be findings are among them. For
   * measuring and for showing people why.
   */
  scan(text: string, reading?: Reading): readonly Hit[];
  /**
   * Screens every string, number and key of a parsed JSON value. Never throws: what lies beyond a bound is rejected.
   * @param value - arguments, an interim message's params, a result or an error, as parsed (never serialised text)
   */
  screen(value: unknown, phase: Phase, actions: GuardrailActions | Actions): Screening;
  /** What becomes of findings in a scope: the matrix of the rules, and where it says nothing the words of the policy. */
  actionsFor(words: BothWords, scope: ActionScope): BothActions;
}
