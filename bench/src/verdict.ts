import { pairedRatio } from './statistics.js';
import type { Row } from './paired-slices.js';

/** Ratios to R that the product may cost at most, and what is aimed at. */
export const LIMITS = { ratio: { aim: 2.0, accept: 2.5 }, draining: { aim: 2.4, accept: 3.0 } } as const;
/** A reference that differs from itself by more than this says nothing about anything. */
const INCONCLUSIVE_SPREAD = 0.05;

/** What a run comes to. */
export interface Verdict {
  readonly lines: readonly string[];
  readonly isPassed: boolean;
}

/**
 * Compares the rows with the limits, less the spread of R against itself: noise never fails, a regression does.
 * The last line is the gate's.
 */
export function judge(rows: { r: Row; again: Row; paused: Row; draining: Row }): Verdict {
  const aa = pairedRatio(rows.again.cpuUs, rows.r.cpuUs);
  const spread = Math.abs(aa - 1);
  const ratio = pairedRatio(rows.paused.cpuUs, rows.r.cpuUs);
  const draining = pairedRatio(rows.draining.cpuUs, rows.r.cpuUs);
  const isInconclusive = spread > INCONCLUSIVE_SPREAD;
  const wrong = Object.values(rows).some((row) => row.reports.some((report) => report.wrong > 0));
  const isWithin = ratio - spread <= LIMITS.ratio.accept && draining - spread <= LIMITS.draining.accept;
  const word = wrong ? 'failed: wrong answers' : isInconclusive ? 'inconclusive' : isWithin ? 'passed' : 'failed';
  const limits = `accepted up to ${LIMITS.ratio.accept.toFixed(1)} and ${LIMITS.draining.accept.toFixed(1)}, aimed at ${LIMITS.ratio.aim.toFixed(1)} and ${LIMITS.draining.aim.toFixed(1)}`;
  return {
    lines: [
      `A/A ${aa.toFixed(3)}; ${limits}: ${word}`,
      `gate: ratio ${ratio.toFixed(2)} R, draining ${draining.toFixed(2)} R`,
    ],
    isPassed: !wrong && (isInconclusive || isWithin),
  };
}
