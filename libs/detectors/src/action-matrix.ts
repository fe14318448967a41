import {
  type CanonicalTool,
  compilePattern,
  type CompiledPattern,
  parseCanonicalTool,
  patternMatches,
} from '@warder/access';
import {
  type ActionRule,
  ActionWord,
  type AllowRule,
  type FindingCategory,
  type GuardrailActions,
} from '@warder/contracts';
import { type Actions, actionsOfCategories, type Cell, takesOut } from './actions.js';
import { AllowList } from './allow-list.js';

/** What a call's findings are looked up by, besides the detector. */
export interface ActionScope {
  readonly virtualServer: string;
  readonly tool: CanonicalTool;
  /** Of the principal. */
  readonly groups: readonly string[];
}

/** What a virtual server says of both directions in the policy: the words that count where no rule of the matrix does. */
export interface BothWords {
  readonly request: GuardrailActions;
  readonly response: GuardrailActions;
}

/** The same, made ready for one scope. */
export interface BothActions {
  readonly request: Actions;
  readonly response: Actions;
}

const SEVERITY: readonly ActionWord[] = ActionWord.options;
const EXACT = 1_000;
/** Cells that a table remembers: providers may name detectors as they like. */
const CELLS_MAX = 4_096;
/** Sets of groups for which a tool's tables are kept. */
const GROUP_SETS_MAX = 1_000;

interface RankedRule {
  readonly rule: ActionRule;
  /** How narrow it is in each of its dimensions but the tool; 0 where it names none. */
  readonly ranks: readonly number[];
  /** The tools that it names, and their text as if it were a tool; undefined where it names none. */
  readonly tools:
    { readonly pattern: CompiledPattern | undefined; readonly asTool: CanonicalTool | undefined } | undefined;
  isInScope(scope: ActionScope): boolean;
  isFor(detector: string): boolean;
}

/**
 * The operator's rules of what becomes of findings. A rule beats another if it is at least as narrow in every dimension
 * (detector, direction, virtual server, tool, group) and narrower in one; of those that nothing beats the most severe
 * decides. So the order of rules does not matter, and an exception has to name all that it is an exception from.
 */
export class ActionMatrix {
  private readonly rules: readonly RankedRule[];
  private readonly groups: readonly string[];
  private readonly tables = new WeakMap<BothWords, WeakMap<CanonicalTool, Map<string, BothActions>>>();

  private readonly allowed: AllowList;
  private readonly unscoped = new WeakMap<Actions, Actions>();

  constructor(rules: readonly ActionRule[], allow: readonly AllowRule[] = []) {
    this.rules = rules.map(ranked);
    this.allowed = new AllowList(allow);
    this.groups = [...new Set(rules.flatMap(({ group }) => group ?? []))].toSorted();
  }

  /** Where there is no tool: what is allowed everywhere is allowed. */
  without(actions: Actions): Actions {
    let found = this.unscoped.get(actions);
    if (found === undefined) this.unscoped.set(actions, (found = this.allowed.within(actions)));
    return found;
  }

  /** The table of a scope, compiled at its first call and looked up afterwards. */
  of(words: BothWords, scope: ActionScope): BothActions {
    let ofWords = this.tables.get(words);
    if (ofWords === undefined) this.tables.set(words, (ofWords = new WeakMap()));
    let ofTool = ofWords.get(scope.tool);
    if (ofTool === undefined) ofWords.set(scope.tool, (ofTool = new Map()));
    const groups = this.groups.length === 0 ? [] : this.groups.filter((group) => scope.groups.includes(group));
    const key = groups.join(' ');
    let table = ofTool.get(key);
    if (table === undefined) {
      const inScope = this.rules.filter((rule) => rule.isInScope(scope));
      table = {
        request: this.allowed.within(tableOf(inScope, 'request', words), 'request', scope),
        response: this.allowed.within(tableOf(inScope, 'response', words), 'response', scope),
      };
      if (ofTool.size >= GROUP_SETS_MAX) ofTool.clear();
      ofTool.set(key, table);
    }
    return table;
  }
}

function tableOf(inScope: readonly RankedRule[], direction: 'request' | 'response', words: BothWords): Actions {
  const base = actionsOfCategories(words[direction]);
  const rules = inScope.filter(({ rule }) => (rule.direction ?? direction) === direction);
  if (rules.length === 0) return base;
  const cells = new Map<string, Cell>();
  const concerning = (category: FindingCategory): readonly RankedRule[] =>
    rules.filter(({ rule: { detector } }) => detector === '*' || mayBeOf(detector, category));
  const asked = new Map<FindingCategory, boolean>();
  const takenOut = new Map<FindingCategory, boolean>();
  for (const category of ['secret', 'pii', 'injection', 'hidden'] as const) {
    const actions = concerning(category).map(({ rule }) => rule);
    asked.set(category, base.isAsked(category) || actions.some(({ action }) => action !== 'off'));
    takenOut.set(
      category,
      base.isTakenOut(category) && actions.every((rule) => rule.isShadow || takesOut(rule.action)),
    );
  }
  const found = (key: string, detector: string, without: () => Cell): Cell => {
    let cell = cells.get(key);
    if (cell === undefined) {
      const matching = rules.filter((rule) => rule.isFor(detector));
      cell = cellOf(matching, without());
      if (cells.size >= CELLS_MAX) cells.clear();
      cells.set(key, cell);
    }
    return cell;
  };
  return {
    isAsked: (category) => asked.get(category) === true,
    isTakenOut: (category) => takenOut.get(category) === true,
    isAllowed: () => false,
    of: (detector, category) => found(`${category} ${detector}`, detector, () => base.of(detector, category)),
    ofProvider: (detector, asked) => found(`${asked} ${detector}`, detector, () => ({ action: asked })),
  };
}

/** Ids of Warder's own detectors begin with their category; of a name that is nobody's nothing is known. */
function mayBeOf(detector: string, category: FindingCategory): boolean {
  const [family = ''] = detector.split('.');
  return family === category || !['secret', 'pii', 'injection', 'hidden', 'provider'].includes(family);
}

function cellOf(rules: readonly RankedRule[], base: Cell): Cell {
  const inForce = winner(rules.filter(({ rule }) => !rule.isShadow));
  const ofAll = winner(rules);
  const cell: Cell =
    inForce === undefined
      ? base
      : { action: inForce.action, rule: inForce.name, ...(inForce.detector.endsWith('*') ? {} : { isNamed: true }) };
  if (ofAll?.isShadow !== true) return cell;
  const shadow = { rule: ofAll.name, action: ofAll.action };
  return { ...cell, shadow, ...(ofAll.detector.endsWith('*') ? {} : { isShadowNamed: true }) };
}

function winner(rules: readonly RankedRule[]): ActionRule | undefined {
  let found: ActionRule | undefined;
  for (const ranked of rules) {
    if (rules.some((other) => beats(other, ranked))) continue;
    const { rule } = ranked;
    if (found === undefined || isBefore(rule, found)) found = rule;
  }
  return found;
}

/** The more severe; of two alike the one in force, and then the name, so that every node says the same. */
function isBefore(one: ActionRule, other: ActionRule): boolean {
  const severity = SEVERITY.indexOf(one.action) - SEVERITY.indexOf(other.action);
  if (severity !== 0) return severity > 0;
  if (one.isShadow !== other.isShadow) return other.isShadow;
  return one.name < other.name;
}

function beats(one: RankedRule, other: RankedRule): boolean {
  let isNarrower = false;
  for (const [dimension, rank] of one.ranks.entries()) {
    const against = other.ranks[dimension] as number;
    if (rank < against) return false;
    isNarrower ||= rank > against;
  }
  return covers(other, one) && (isNarrower || !covers(one, other));
}

/**
 * Whether one rule names all tools that another does. A star of the narrower is a character that only a star of the
 * wider takes; how long a pattern is says nothing, for a long one may name what a short one does not.
 */
function covers({ tools: wide }: RankedRule, { tools: narrow }: RankedRule): boolean {
  if (wide === undefined) return true;
  const { pattern } = wide;
  return pattern !== undefined && narrow?.asTool !== undefined && patternMatches(pattern, narrow.asTool);
}

function ranked(rule: ActionRule): RankedRule {
  const { detector, direction, virtualServer, tool, group } = rule;
  const pattern = tool === undefined ? undefined : compilePattern(tool);
  const family = detector.endsWith('*') ? detector.slice(0, -1) : undefined;
  const named = (value: string | undefined): number => (value === undefined ? 0 : 1);
  return {
    rule,
    ranks: [family?.length ?? EXACT, named(direction), named(virtualServer), named(group)],
    tools: tool === undefined ? undefined : { pattern, asTool: parseCanonicalTool(tool) },
    isInScope: (scope) =>
      (virtualServer === undefined || virtualServer === scope.virtualServer) &&
      (group === undefined || scope.groups.includes(group)) &&
      (tool === undefined || (pattern !== undefined && patternMatches(pattern, scope.tool))),
    // What others find has the action of the policy's line about them unless a rule says `provider`.
    isFor: (id) =>
      family === undefined ? id === detector : id.startsWith(family) && (family !== '' || !id.startsWith('provider.')),
  };
}
