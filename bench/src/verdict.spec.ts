import { describe, expect, it } from 'vitest';
import type { Row } from './paired-slices.js';
import { judge } from './verdict.js';

const row = (name: string, us: number, wrong = 0): Row => ({
  name,
  cpuUs: [us, us],
  reports: [{ answered: 100, refused: 5, wrong, firstWrong: null, seconds: 0.3, p50Us: 1, p99Us: 2 }],
  rssMiB: 1,
  restless: 0,
});
const rows = (again: number, paused: number, draining: number, wrong = 0) => ({
  r: row('R', 100),
  again: row('R again', again),
  paused: row('paused', paused, wrong),
  draining: row('draining', draining),
});

describe('the gate', () => {
  it('ends with its one line', () => {
    expect(judge(rows(101, 190, 230)).lines.at(-1)).toBe('gate: ratio 1.90 R, draining 2.30 R');
  });

  it('passes up to the limits and the spread of the reference, and fails beyond', () => {
    expect(judge(rows(100, 250, 300)).isPassed).toBe(true);
    expect(judge(rows(104, 253, 303)).isPassed).toBe(true);
    expect(judge(rows(100, 253, 300)).isPassed).toBe(false);
    expect(judge(rows(100, 250, 303)).isPassed).toBe(false);
  });

  it('says inconclusive when the reference differs from itself', () => {
    const verdict = judge(rows(107, 900, 900));
    expect(verdict.lines[0]).toContain('inconclusive');
    expect(verdict.isPassed).toBe(true);
  });

  it('fails on a wrong answer, however fast', () => {
    expect(judge(rows(100, 100, 100, 1)).isPassed).toBe(false);
  });
});
