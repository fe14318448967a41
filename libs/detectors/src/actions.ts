import type { ActionWord, FindingCategory, GuardrailActions } from '@warder/contracts';

/** What becomes of one detector's findings in one direction of one tool, for one caller. */
export interface Cell {
  readonly action: ActionWord;
  /** The rule that says so; undefined where the virtual server's own words do. */
  readonly rule?: string;
  /** A rule on trial that would have it otherwise. */
  readonly shadow?: { readonly rule: string; readonly action: ActionWord };
  /** Whether the rule names this very detector. */
  readonly isNamed?: true;
  /** The same of the rule on trial. */
  readonly isShadowNamed?: true;
}

/** What becomes of findings: looked up on the path of a call, compiled before it. */
export interface Actions {
  /** Whether anything of the category is to be looked for. */
  isAsked(category: FindingCategory): boolean;
  /** Whether all of the category that is found is taken out, so that a record may keep what is left. */
  isTakenOut(category: FindingCategory): boolean;
  of(detector: string, category: FindingCategory): Cell;
  /** Whether an operator said that what a detector found there, all of it, is no finding. */
  isAllowed(detector: string, found: string): boolean;
  /**
   * What becomes of what a guardrail provider finds (`provider.<name>.<category>`): as rules say that name such detectors.
   * @param asked - what its operator asks for in the policy, where none does
   */
  ofProvider(detector: string, asked: ActionWord): Cell;
}

const TAKEN_OUT: ReadonlySet<ActionWord> = new Set(['redact', 'strip', 'block']);

/** Whether nothing of what is found stays. */
export const takesOut = (action: ActionWord): boolean => TAKEN_OUT.has(action);

const plain = new WeakMap<GuardrailActions, Actions>();

/** The actions that four words say, one for each category. */
export function actionsOfCategories(words: GuardrailActions): Actions {
  let actions = plain.get(words);
  if (actions === undefined) {
    const cells: Readonly<Record<FindingCategory, Cell>> = {
      secret: { action: words.secret },
      pii: { action: words.pii },
      injection: { action: words.injection },
      hidden: { action: words.hidden },
    };
    actions = {
      isAsked: (category) => words[category] !== 'off',
      isTakenOut: (category) => takesOut(words[category]),
      of: (_detector, category) => cells[category],
      isAllowed: () => false,
      ofProvider: (_detector, asked) => ({ action: asked }),
    };
    plain.set(words, actions);
  }
  return actions;
}
