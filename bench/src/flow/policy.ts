/** What the scorer calls: the shipped library, with the labels that each case brings. */
import type { FlowLabel, FlowPreset } from '@warder/contracts';
import { bitsOf, decide as decideFlow, type FlowRules, newRun, observe as observeFlow, type Run } from '@warder/flow';

interface Step {
  readonly tool: string;
  readonly labels: readonly FlowLabel[];
  readonly args: unknown;
}
interface Case {
  readonly id: string;
  run?: Run;
  calls?: number;
}

const RULES: FlowRules = {
  preset: (process.env['FLOW_PRESET'] ?? 'balanced') as FlowPreset,
  mode: 'enforce',
  allow: { domains: [], recipients: [] },
  key: 'of the measurement',
};

/** `hold` for what waits for a human, `deny` for what is refused. */
export function decide(one: Case, { labels, args }: Step): 'allow' | 'hold' | 'deny' {
  one.run ??= newRun();
  const { action } = decideFlow(one.run, { bits: bitsOf(labels), args }, RULES);
  return action === 'allow' ? 'allow' : action === 'block' ? 'deny' : 'hold';
}

export function observe(one: Case, { tool, labels, result }: Step & { readonly result: unknown }): void {
  one.run ??= newRun();
  one.calls = (one.calls ?? 0) + 1;
  observeFlow(one.run, { callId: `${one.id}-${one.calls}`, tool, bits: bitsOf(labels) }, result, RULES.key);
}
