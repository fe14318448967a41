import { z } from 'zod';
import { Finding } from './audit-record.js';
import { GuardrailActions } from './policy-document.js';

/** Which detectors of a rule pack are on; the whole list, not a change of it. */
export const ChangeRulePack = z.strictObject({ detectors: z.array(z.string().min(1).max(100)).max(2_000) });
export type ChangeRulePack = z.infer<typeof ChangeRulePack>;

/** A dry run: what the gateway would do with a value. */
export const CheckGuardrails = z
  .strictObject({ phase: Finding.shape.phase, actions: GuardrailActions.prefault({}), value: z.unknown() })
  .refine(({ value }) => value !== undefined, { path: ['value'], message: 'missing' });
export type CheckGuardrails = z.infer<typeof CheckGuardrails>;
