import { z } from 'zod';
import { ActionRules } from '../action-rules.js';
import { CustomRules } from '../custom-rules.js';
import { StateVersion } from '../state.js';
import type { Topic } from '../topic.js';

/**
 * One rule pack. `detectors` are ids of detectors that the engine knows by heart; an id it does not know is
 * reported by the node and leaves the others working.
 */
export const GuardrailRulesState = z.object({
  version: StateVersion,
  status: z.enum(['active', 'removed']),
  pack: z.string(),
  detectors: z.array(z.string()),
  /** Of the pack `actions` alone, which has no detectors: what becomes of findings. A node that is older has none. */
  actions: ActionRules.optional(),
  /** Of the pack `custom` alone: the operator's own rules. A node that is older has none. */
  custom: CustomRules.optional(),
});
export type GuardrailRulesState = z.infer<typeof GuardrailRulesState>;

export const guardrailRulesStateTopic: Topic<GuardrailRulesState> = {
  name: 'warder.guardrail-rules.state.v1',
  key: 'rule pack',
  schema: GuardrailRulesState,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 1_048_576,
  writers: ['guardrails'],
  readers: ['ingress', 'guardrails'],
  example: { version: 1, status: 'active', pack: 'secrets', detectors: ['secret.aws-access-key'] },
};
