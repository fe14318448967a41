import { z } from 'zod';
import { Name, ToolPattern } from './policy-names.js';

const PATTERNS_MAX = 1_000;
const GROUPS_MAX = 50;
/** A week: what waits longer than that is not the same question any more. */
const MINUTES_MAX = 10_080;

const by = z.array(Name).max(GROUPS_MAX);
const fourEyes = z.boolean();
const minutes = z.int().min(1).max(MINUTES_MAX);

/** Who approves of held calls, and for how long an approval waits and is good. */
export const ApprovalTerms = z.object({
  /** Groups of whose people one has to say yes; none: administrators. */
  by: by.default([]),
  /** Never who asks: not under another name, through a service account of theirs, or by delegation. */
  fourEyes: fourEyes.default(false),
  /** Minutes in which somebody has to decide, and again in which the approved call has to be made. */
  minutes: minutes.default(60),
});
export type ApprovalTerms = z.infer<typeof ApprovalTerms>;

/**
 * Approval by a human, of one virtual server. The first three are for whatever holds a call; under `tools` stand the
 * tools whose every call waits, the most specific pattern first, with what is different there.
 */
export const ApprovalSettings = z.strictObject({
  ...ApprovalTerms.shape,
  tools: z
    .record(
      ToolPattern,
      z.strictObject({ by: by.optional(), fourEyes: fourEyes.optional(), minutes: minutes.optional() }),
    )
    .refine((tools) => Object.keys(tools).length <= PATTERNS_MAX, `at most ${PATTERNS_MAX} patterns`)
    .default({}),
});
export type ApprovalSettings = z.infer<typeof ApprovalSettings>;
