import { z } from 'zod';
import { Name, ToolPattern } from './policy-names.js';

/**
 * What becomes of a finding, the least severe first. `off`: not looked at; `log`: counted and on record; `flag`: the
 * agent is told too; `redact`: a placeholder stands in its place; `strip`: nothing does; `approve`: the call waits for a
 * human; `block`: it ends.
 */
export const ActionWord = z.enum(['off', 'log', 'flag', 'redact', 'strip', 'approve', 'block']);
export type ActionWord = z.infer<typeof ActionWord>;

/** A detector's id (a provider's have capitals, as `provider.presidio.PERSON`), a family of them (`secret.*`, `provider.presidio.*`), or all (`*`). */
export const DetectorPattern = z
  .string()
  .max(160)
  .regex(/^(?:\*|[a-z0-9][a-z0-9-]*(?:\.[A-Za-z0-9_-]+)*(?:\.\*)?)$/, 'a detector is "family.name", "family.*" or "*"');

/** One rule of the matrix. What it does not name it does not ask for. */
export const ActionRule = z
  .strictObject({
    /** Stands in findings and records. */
    name: Name,
    detector: DetectorPattern.default('*'),
    /** `request`: arguments; `response`: answers, and messages before them. */
    direction: z.enum(['request', 'response']).optional(),
    virtualServer: Name.optional(),
    tool: ToolPattern.optional(),
    /** Of the principal. */
    group: Name.optional(),
    action: ActionWord,
    /** Only counted and put on record: what would be done without it is done. */
    isShadow: z.boolean().default(false),
  })
  .refine(({ action, direction }) => action !== 'approve' || direction === 'request', {
    path: ['direction'],
    message: 'an answer cannot wait for a human: "approve" needs the direction "request"',
  });
export type ActionRule = z.infer<typeof ActionRule>;

export const ACTION_RULES_MAX = 200;

/** The whole matrix; names are used once. */
export const ActionRules = z
  .array(ActionRule)
  .max(ACTION_RULES_MAX)
  .refine((rules) => new Set(rules.map(({ name }) => name)).size === rules.length, 'two rules have one name');
export type ActionRules = z.infer<typeof ActionRules>;
