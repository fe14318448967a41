import type { GuardrailActions } from '@warder/contracts';
import type { Guardrails } from '../pipeline/gateway.js';

/** How values enter a record when no virtual server says otherwise: kinds and places, never a secret. */
export const RECORD_ACTIONS: GuardrailActions = { secret: 'redact', pii: 'redact', injection: 'off', hidden: 'off' };

/**
 * The value as a record may hold it. A virtual server may let secrets pass (`flag`, `off`); its records may not.
 * @param value - already screened under `actions`
 * @returns the same reference where nothing had to be masked
 */
export function maskedForRecord(
  value: unknown,
  phase: 'request' | 'response',
  actions: GuardrailActions,
  guardrails: Guardrails,
): unknown {
  if (isMasked(actions.secret) && isMasked(actions.pii)) return value;
  const screening = guardrails.screen(value, phase, RECORD_ACTIONS);
  return screening.verdict === 'pass' ? value : screening.value;
}

// What is blocked never gets as far as being recorded as a value that went through.
const isMasked = (action: GuardrailActions['secret']): boolean => action === 'redact' || action === 'block';
