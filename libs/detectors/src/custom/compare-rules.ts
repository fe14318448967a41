import { parseCanonicalTool } from '@warder/access';
import type {
  ActionRule,
  AuditRecord,
  Capture,
  CustomRules,
  Finding,
  GuardrailActions,
  GuardrailRulesState,
} from '@warder/contracts';
import { BUILT_IN_PACKS } from '../built-in-packs.js';
import { createEngine } from '../engine.js';
import type { ScreeningEngine } from '../screening-engine.js';
import type { KeyedHash } from './exact-values.js';

/** Differences that are told one by one; more are counted. */
const TOLD_MAX = 1_000;
/** Everything is looked for and nothing is changed. */
const LOOK: GuardrailActions = { secret: 'flag', pii: 'flag', injection: 'flag', hidden: 'flag' };
const LOG_ALL: ActionRule = { name: 'look', detector: '*', action: 'log', isShadow: false };

/** Where rules would find something in a recorded call that they did not, or no more; never what. */
export interface RuleDifference {
  readonly change: 'new' | 'gone';
  readonly recordId: string;
  readonly occurredAtMs: number;
  readonly tool: string;
  readonly phase: 'request' | 'response';
  readonly detector: string;
  readonly place: string;
  readonly count: number;
}

/** The comparison of all that was read. */
export interface RuleComparisonReport {
  readonly records: number;
  /** Arguments or results that the records do not hold whole: nothing is known of what is missing. */
  readonly notWhole: number;
  /** By detector: in how many places it finds something now, and would. */
  readonly detectors: Readonly<Record<string, { readonly before: number; readonly after: number }>>;
  readonly differences: readonly RuleDifference[];
  readonly moreDifferences: number;
}

/**
 * What rules that are not in force would have found in recorded calls, against those that are. Records hold what was left after
 * redaction: what was cut out then is no difference now.
 */
export class RuleComparison {
  private readonly engines: readonly [before: ScreeningEngine, after: ScreeningEngine];
  private readonly found = new Map<string, { before: number; after: number }>();
  private readonly differences: RuleDifference[] = [];
  private more = 0;
  private records = 0;
  private notWhole = 0;

  constructor(before: CustomRules, after: CustomRules, hashes: ReadonlyMap<string, KeyedHash>) {
    this.engines = [engineOf(before, hashes), engineOf(after, hashes)];
  }

  /** Reads one record of a call. */
  read(
    record: Pick<AuditRecord, 'recordId' | 'occurredAtMs' | 'virtualServer' | 'upstream' | 'tool' | 'personal'>,
  ): void {
    this.records += 1;
    const { personal } = record;
    if (personal === null) return;
    this.compare(record, 'request', personal.arguments);
    this.compare(record, 'response', personal.result);
  }

  report(): RuleComparisonReport {
    const { records, notWhole, differences, more: moreDifferences } = this;
    return { records, notWhole, detectors: Object.fromEntries(this.found), differences, moreDifferences };
  }

  private compare(
    record: Parameters<RuleComparison['read']>[0],
    phase: 'request' | 'response',
    capture: Capture | null,
  ): void {
    if (capture === null) return;
    if (!('value' in capture)) this.notWhole += 1;
    const value = 'value' in capture ? capture.value : 'head' in capture ? capture.head : undefined;
    if (value === undefined) return;
    const name = `${record.upstream ?? ''}/${record.tool ?? ''}`;
    const tool = parseCanonicalTool(name);
    const [before, after] = this.engines.map((engine) => {
      const scope = { virtualServer: record.virtualServer ?? '', groups: [] };
      const actions =
        tool === undefined ? LOOK : engine.actionsFor({ request: LOOK, response: LOOK }, { ...scope, tool })[phase];
      return byPlace(engine.screen(value, phase, actions).findings);
    }) as [Map<string, Finding>, Map<string, Finding>];
    this.count(before, 'before');
    this.count(after, 'after');
    const about = { recordId: record.recordId, occurredAtMs: record.occurredAtMs, tool: name, phase };
    for (const [key, { detector, place, count }] of after)
      if (!before.has(key)) this.tell({ change: 'new', ...about, detector, place, count });
    for (const [key, { detector, place, count }] of before)
      if (!after.has(key)) this.tell({ change: 'gone', ...about, detector, place, count });
  }

  private count(findings: ReadonlyMap<string, Finding>, side: 'before' | 'after'): void {
    for (const { detector } of findings.values()) {
      const counts = this.found.get(detector) ?? { before: 0, after: 0 };
      counts[side] += 1;
      this.found.set(detector, counts);
    }
  }

  private tell(difference: RuleDifference): void {
    if (this.differences.length < TOLD_MAX) this.differences.push(difference);
    else this.more += 1;
  }
}

const byPlace = (findings: readonly Finding[]): Map<string, Finding> =>
  new Map(findings.map((finding) => [`${finding.detector} ${finding.place} ${finding.count}`, finding]));

function engineOf(custom: CustomRules, hashes: ReadonlyMap<string, KeyedHash>): ScreeningEngine {
  const pack = (name: string, detectors: readonly string[]): GuardrailRulesState => ({
    version: 1,
    status: 'active',
    pack: name,
    detectors: [...detectors],
  });
  return createEngine(
    [
      ...Object.entries(BUILT_IN_PACKS).map(([name, detectors]) => pack(name, detectors)),
      { ...pack('actions', []), actions: [LOG_ALL] },
      { ...pack('custom', []), custom },
    ],
    hashes,
  );
}
