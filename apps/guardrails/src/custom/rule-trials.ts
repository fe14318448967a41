import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CUSTOM_BOUNDS, type CustomRules } from '@warder/contracts';
import type { RuleProblem } from '@warder/detectors';
import { AdminError } from '@warder/service-host';
import type { RuleReport, TriedRules } from './rule-trial-worker.js';

/** Milliseconds for one rule, and for all rules of a change. */
const RULE_DEADLINE_MS = 10_000;
const DEADLINE_MS = 120_000;
/** Problems that a refusal tells. */
const TOLD_MAX = 10;

/**
 * Tries rules before they are accepted, in a thread of its own: a pattern that does not end ends with the thread. One
 * change at a time.
 */
export class RuleTrials {
  private before: Promise<unknown> = Promise.resolve();

  constructor(private readonly ruleDeadlineMs = RULE_DEADLINE_MS) {}

  /**
   * Tries what is not in force already.
   * @throws AdminError 400 WDR_RULES_REFUSED with what is wrong with which rule
   */
  async ensureAcceptable(asked: CustomRules, inForce: CustomRules): Promise<void> {
    const bytes = Buffer.byteLength(JSON.stringify(asked));
    if (bytes > CUSTOM_BOUNDS.bytes)
      throw refused([{ id: 'all rules', problem: `take ${bytes} bytes together; ${CUSTOM_BOUNDS.bytes} is the most` }]);
    const isNew = unlike([...inForce.patterns, ...inForce.dictionaries]);
    const tried = { patterns: asked.patterns.filter(isNew), dictionaries: asked.dictionaries.filter(isNew) };
    if (tried.patterns.length + tried.dictionaries.length === 0) return;
    const trial = this.before.then(() => this.problemsOf(tried));
    this.before = trial.catch(() => undefined);
    const problems = await trial;
    if (problems.length > 0) throw refused(problems);
  }

  private problemsOf(tried: TriedRules): Promise<readonly RuleProblem[]> {
    return new Promise((resolve, reject) => {
      const worker = new Worker(workerPath(), { workerData: tried, execArgv: [] });
      const problems: RuleProblem[] = [];
      const startedAtMs = performance.now();
      let timer: NodeJS.Timeout | undefined;
      const end = (result: () => void): void => {
        clearTimeout(timer);
        void worker.terminate().then(result);
      };
      worker.on('error', (error) => end(() => reject(error)));
      worker.on('message', (report: RuleReport) => {
        clearTimeout(timer);
        if (report.kind === 'problems') problems.push(...report.problems);
        if (report.kind === 'end') return end(() => resolve(problems));
        if (report.kind !== 'begin') return;
        const leftMs = Math.min(this.ruleDeadlineMs, startedAtMs + DEADLINE_MS - performance.now());
        timer = setTimeout(
          () => end(() => resolve([...problems, { id: report.id, problem: 'comes to no end on texts made for it' }])),
          Math.max(0, leftMs),
        );
      });
    });
  }
}

/** Whether a rule is none of these, word for word. */
function unlike(rules: readonly object[]): (rule: object) => boolean {
  const known = new Set(rules.map((rule) => JSON.stringify(sorted(rule))));
  return (rule) => !known.has(JSON.stringify(sorted(rule)));
}

/** The database keeps members in an order of its own. */
const sorted = (rule: object): object =>
  Object.fromEntries(Object.entries(rule).toSorted(([a], [b]) => (a < b ? -1 : 1)));

function refused(problems: readonly RuleProblem[]): AdminError {
  const told = problems.slice(0, TOLD_MAX).map(({ id, problem }) => `${id} ${problem}`);
  const more = problems.length > TOLD_MAX ? `; and ${problems.length - TOLD_MAX} more` : '';
  return new AdminError(400, 'WDR_RULES_REFUSED', `${told.join('; ')}${more}`);
}

/** The built file of the thread: Node runs no TypeScript, so a run from source takes it from `dist` too. */
function workerPath(): string {
  const here = fileURLToPath(new URL('./rule-trial-worker.js', import.meta.url));
  if (existsSync(here)) return here;
  const built = fileURLToPath(new URL('../../dist/custom/rule-trial-worker.js', import.meta.url));
  if (existsSync(built)) return built;
  throw new Error('apps/guardrails is not built: run npm run build');
}
