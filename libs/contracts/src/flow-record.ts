import { z } from 'zod';

/** Why the flow policy flagged, held or refused a call: rule, run, and the calls that led to it. No text of any. */
export const FlowRecord = z.object({
  action: z.enum(['flag', 'approve', 'block']),
  /** `flow.<preset>.<why>`. */
  rule: z.string(),
  /** Keyed hash of the run's name: the same in every record of one run. */
  run: z.string(),
  /** The calls whose answers it follows from, by their records' ids, the oldest first. */
  chain: z.array(z.object({ recordId: z.string(), tool: z.string(), labels: z.array(z.string()) })),
});
export type FlowRecord = z.infer<typeof FlowRecord>;
