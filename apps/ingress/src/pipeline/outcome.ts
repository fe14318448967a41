import type { Outcome } from './gateway.js';
import { Refusal } from './refusal.js';

/** A refusal is expected; anything else is a bug, answered without a word of its inside. */
export function asOutcome(error: unknown): Outcome {
  if (error instanceof Refusal) return { kind: 'refused', refusal: error };
  // The message of a bug may quote what it choked on, so only its class goes into the record.
  const detail = error instanceof Error ? error.name : typeof error;
  return { kind: 'failed', error, refusal: new Refusal('WDR_INTERNAL', 'The gateway failed', detail) };
}
