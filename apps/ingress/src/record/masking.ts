import type { GuardrailActions } from '@warder/contracts';
import { type Actions, BUILT_IN_PACKS, createEngine, type ScreeningEngine } from '@warder/detectors';
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
  actions: Actions,
  guardrails: Guardrails,
): unknown {
  // What is blocked never gets as far as being recorded as a value that went through.
  if (actions.isTakenOut('secret') && actions.isTakenOut('pii')) return value;
  const screening = guardrails.screen(value, phase, RECORD_ACTIONS);
  return screening.verdict === 'pass' ? value : screening.value;
}

let everyDetector: ScreeningEngine | undefined;

/**
 * Text that somebody who need not be anybody wrote: a header, the name of a client. Every detector of the build looks
 * at it, for a node counts refusals before it has read any rules.
 */
export function maskedText(text: string): string {
  everyDetector ??= createEngine(
    Object.entries(BUILT_IN_PACKS).map(([pack, detectors]) => ({
      version: 1,
      status: 'active',
      pack,
      detectors: [...detectors],
    })),
  );
  return everyDetector.screen(text, 'request', RECORD_ACTIONS).value as string;
}
