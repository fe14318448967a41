import { z } from 'zod';

/** One call of a run's story that led to a held one: what was called, and what it was found to be. */
export const HoldStep = z.object({
  recordId: z.string().max(100),
  /** Canonical, `upstream/tool`. */
  tool: z.string().max(300),
  /** Labels of the tool or of its answer, as the flow policy names them. */
  labels: z.array(z.string().max(60)).max(20),
});
export type HoldStep = z.infer<typeof HoldStep>;

/**
 * Why a call waits for a human: who says so, by which rule, and a reason in our own words. Nothing of a call's or an
 * answer's text stands in it, for it is shown to people and put on record.
 */
export const Hold = z.object({
  by: z.enum(['flow', 'guardrail', 'policy']),
  /** Of the rule that holds the call, for instance `flow.balanced` or `policy.approval`. */
  rule: z.string().min(1).max(200),
  reason: z.string().min(1).max(500),
  /** How the run came here, the oldest first, where the holder knows. */
  chain: z.array(HoldStep).max(20).optional(),
});
export type Hold = z.infer<typeof Hold>;
