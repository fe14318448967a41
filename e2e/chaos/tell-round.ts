import { type Agreement, expectAgreement } from './agreement.js';
import type { ChaosScene } from './chaos-scene.js';
import { planText, type RoundPlan } from './fault-plan.js';
import { playRound } from './play-round.js';

/** What a round may take beyond its load and a broker that is away: its faults undone, everybody in agreement. */
export const SETTLE_TIMEOUT_MS = 240_000;

/**
 * Plays a round, tells its plan before and its figures after it, and shows that everybody agrees.
 * @throws Error with what they disagree about
 */
export async function tellRound(chaos: ChaosScene, plan: RoundPlan): Promise<Agreement> {
  process.stdout.write(`${planText(plan)}\n`);
  const { statuses, failedDiskCalls } = await playRound(chaos, plan);
  const hasSureError = plan.faults.some((fault) => fault.kind === 'disk-error' && fault.percent === 100);
  if (hasSureError && failedDiskCalls === 0) throw new Error('no call to a disk failed: the round showed nothing');
  const agreement = await expectAgreement(chaos, SETTLE_TIMEOUT_MS);
  chaos.receivers.forgetRequests();
  const answers = Object.entries(statuses).map(([status, count]) => `${count} x ${status}`);
  const { records, entries, resent, exportedAgain } = agreement;
  process.stdout.write(
    `seed ${plan.seed}: they agree; answers ${answers.join(', ')}; ${failedDiskCalls} failed disk calls; until now ` +
      `${entries} acts, ${records} records, ${resent} sent again, ${exportedAgain} exported again\n`,
  );
  return agreement;
}
