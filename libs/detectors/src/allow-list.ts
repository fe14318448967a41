import { type CanonicalTool, compilePattern, type CompiledPattern, patternMatches } from '@warder/access';
import type { AllowRule } from '@warder/contracts';
import type { Actions } from './actions.js';

interface Scope {
  readonly virtualServer: string;
  readonly tool: CanonicalTool;
}

interface CompiledRule {
  readonly rule: AllowRule;
  readonly tool: CompiledPattern | undefined;
  readonly values: ReadonlySet<string> | undefined;
  isFor(detector: string): boolean;
}

/** What an operator said is no finding. A rule that names a tool or a virtual server says nothing where there is none. */
export class AllowList {
  private readonly rules: readonly CompiledRule[];

  constructor(rules: readonly AllowRule[]) {
    this.rules = rules.map(compiled);
  }

  /** The actions of a scope with what is allowed in it; the same where nothing is. */
  within(actions: Actions, direction?: 'request' | 'response', scope?: Scope): Actions {
    const rules = this.rules.filter(({ rule, tool }) => {
      if (rule.direction !== undefined && rule.direction !== direction) return false;
      if (rule.virtualServer !== undefined && rule.virtualServer !== scope?.virtualServer) return false;
      return rule.tool === undefined || (tool !== undefined && scope !== undefined && patternMatches(tool, scope.tool));
    });
    if (rules.length === 0) return actions;
    return {
      ...actions,
      isAllowed: (detector, found) => {
        let value: string | undefined;
        return rules.some((rule) => {
          if (!rule.isFor(detector)) return false;
          return rule.values === undefined || rule.values.has((value ??= normal(found)));
        });
      },
    };
  }
}

const normal = (value: string): string => value.trim().normalize('NFC').toLowerCase();

function compiled(rule: AllowRule): CompiledRule {
  const exact = new Set(rule.detectors.filter((each) => !each.endsWith('*')));
  const families = rule.detectors.filter((each) => each.endsWith('*')).map((each) => each.slice(0, -1));
  return {
    rule,
    tool: rule.tool === undefined ? undefined : compilePattern(rule.tool),
    values: rule.values === undefined ? undefined : new Set(rule.values.map(normal)),
    isFor: (detector) => exact.has(detector) || families.some((family) => detector.startsWith(family)),
  };
}
