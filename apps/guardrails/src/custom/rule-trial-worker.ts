import { parentPort, workerData } from 'node:worker_threads';
import type { CustomRules } from '@warder/contracts';
import { problemsOf, type RuleProblem } from '@warder/detectors';

/** What the thread begins with. */
export type TriedRules = Pick<CustomRules, 'patterns' | 'dictionaries'>;

/** What it tells: a rule is begun, so that one which does not end can be named; what was found; that is all. */
export type RuleReport =
  | { readonly kind: 'begin'; readonly id: string }
  | { readonly kind: 'problems'; readonly problems: readonly RuleProblem[] }
  | { readonly kind: 'end' };

const tell = (report: RuleReport): void => parentPort?.postMessage(report);

/** Both clocks count more than the rule took where others work: the lower is nearer. */
function took(work: () => void): number {
  const [startedAtMs, before] = [performance.now(), process.cpuUsage()];
  work();
  const { user, system } = process.cpuUsage(before);
  return Math.min(performance.now() - startedAtMs, (user + system) / 1_000);
}

const { patterns, dictionaries } = workerData as TriedRules;
for (const pattern of patterns) {
  tell({ kind: 'begin', id: pattern.id });
  tell({ kind: 'problems', problems: problemsOf({ patterns: [pattern], dictionaries: [] }, took) });
}
for (const dictionary of dictionaries) {
  tell({ kind: 'begin', id: dictionary.id });
  tell({ kind: 'problems', problems: problemsOf({ patterns: [], dictionaries: [dictionary] }, took) });
}
tell({ kind: 'end' });
