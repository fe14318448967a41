import type { LiteralDetector } from '../detector.js';
import { WORD_START } from '../word-start.js';

/** Up to six characters between two words: spaces, line ends (also as escapes of a text in a text), marks of emphasis. */
export const GAP = '(?:(?:\\\\[nrt]|[^A-Za-z0-9]){1,6})';

/** A space within a class of characters is one of them. */
const SPACE_OR_CLASS = /\[(?:\\.|[^\]])*\]| /g;
/** A written-out gap takes the escapes of a text within a text too. */
const OPEN_GAP = /\[\^A-Za-z0-9\](?=\{)/g;
const ESCAPED_GAP = String.raw`(?:\\[nrt]|[^A-Za-z0-9])`;

export const ADDRESSEE =
  '(?:ai|a\\.i\\.|llms?|(?:large )?language models?|(?:ai |virtual |coding )?assistants?|(?:ai |coding )?agents?|chat ?bots?|bots?|copilot|cursor|claude|chatgpt|chat gpt|gpt-?\\d?|gemini|llama|model)';

/** What a model was told before. */
export const ORDERS =
  '(?:instructions?|instruct?ions?|prompts?|rules?|directives?|guidelines?|guidance|commands?|orders?|directions?|messages?|constraints?|restrictions?|safeguards?|guardrails?|polic(?:y|ies)|programming|protocols?|context|conversation|tasks?|objectives?|goals?|requests?|quer(?:y|ies)|rubric|criteria|training)';

export interface Phrase {
  /** The kind, the last part of its id. */
  readonly kind: string;
  readonly what: string;
  readonly weight: number;
  readonly literals: readonly string[];
  /** In words: single spaces stand for gaps. Without case; a look-behind that asks for the start of a word comes first. */
  readonly phrases: readonly string[];
  readonly fires: readonly string[];
  readonly passes: readonly string[];
  readonly scope?: LiteralDetector['scope'];
  /** Gaps are written out, and a phrase may begin within a word or with a mark. */
  readonly isExact?: true;
  /** The literals stand somewhere in the phrases and not at their start. */
  readonly isAround?: true;
}

/** A sign, in words, of a text that gives orders to the model which reads it. */
export function phrase({ kind, phrases, literals, isExact, isAround, ...rest }: Phrase): LiteralDetector {
  const source = phrases
    .map((each) =>
      isExact === true
        ? each
        : each.replace(SPACE_OR_CLASS, (part) => (part === ' ' ? GAP : part)).replace(OPEN_GAP, () => ESCAPED_GAP),
    )
    .join('|');
  return {
    ...rest,
    id: `injection.${kind}`,
    category: 'injection',
    trigger: 'literal',
    forms: [
      {
        literals,
        pattern: new RegExp(`${isExact === true ? '' : WORD_START}(?:${source})`, isAround === true ? 'i' : 'iy'),
        ...(isAround === true ? { isAround } : {}),
      },
    ],
  };
}
