import type { FlowLabel } from '@warder/contracts';

/** One bit for each label, so that what a run has seen is one integer. */
export const LABEL_BIT: Readonly<Record<FlowLabel, number>> = {
  untrusted: 1,
  private: 2,
  external: 4,
  destructive: 8,
  write: 16,
  sanitiser: 32,
};

/** Labels as a bitset; an integer from 0 to 63. */
export function bitsOf(labels: readonly FlowLabel[]): number {
  return labels.reduce((bits, label) => bits | LABEL_BIT[label], 0);
}

/** The labels of a bitset. */
export function namesOf(bits: number): FlowLabel[] {
  return (Object.keys(LABEL_BIT) as FlowLabel[]).filter((label) => has(bits, label));
}

/** Whether a bitset holds a label. */
export function has(bits: number, label: FlowLabel): boolean {
  return (bits & LABEL_BIT[label]) !== 0;
}
