import { type ApprovalSettings, ApprovalTerms } from '@warder/contracts';
import { mostSpecificFirst, type PatternEntry } from './specific-patterns.js';
import { type CanonicalTool, patternMatches } from './tool-pattern.js';

/** Who approves of calls of one virtual server, and which tools are always held, made ready for asking. */
export interface ApprovalRules {
  readonly terms: ApprovalTerms;
  readonly tools: readonly PatternEntry<ApprovalTerms>[];
}

/** How a call of one tool stands: whether each one waits for a human, and on which terms any hold is lifted. */
export interface ToolApproval {
  readonly isAlwaysHeld: boolean;
  readonly terms: ApprovalTerms;
}

const NO_RULES: ApprovalRules = { terms: ApprovalTerms.parse({}), tools: [] };

/** Compiles what a virtual server says; of two patterns as specific as each other the one with four eyes decides. */
export function compileApprovalRules(settings: ApprovalSettings | undefined): ApprovalRules {
  if (settings === undefined) return NO_RULES;
  const { tools, ...terms } = settings;
  const own = Object.entries(tools).map(([text, change]) => {
    const { by = terms.by, fourEyes = terms.fourEyes, minutes = terms.minutes } = change;
    return [text, { by, fourEyes, minutes }] as const;
  });
  return {
    terms,
    tools: mostSpecificFirst(own, (one, other) => Number(other.fourEyes) - Number(one.fourEyes)),
  };
}

/** How a call of the tool stands. */
export function approvalOf({ terms, tools }: ApprovalRules, tool: CanonicalTool): ToolApproval {
  const own = tools.find(({ pattern }) => patternMatches(pattern, tool));
  return own === undefined ? { isAlwaysHeld: false, terms } : { isAlwaysHeld: true, terms: own.value };
}
