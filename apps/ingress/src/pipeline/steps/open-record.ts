import type { Cleared, Recorded } from '../call.js';
import type { Journal } from '../gateway.js';

/**
 * Writes the intent and reserves the outcome's space, so that a full disk refuses here, before anything happened.
 * @throws Refusal WDR_JOURNAL_FULL; or the signal's own, when the call was given up while the intent was written
 */
export async function openRecord(call: Cleared, journal: Journal): Promise<Pick<Recorded, 'recordSequence'>> {
  const recordSequence = await journal.open(call);
  return { recordSequence };
}
