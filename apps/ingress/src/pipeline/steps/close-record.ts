import type { Call } from '../call.js';
import type { Journal, Outcome } from '../gateway.js';
import { asOutcome } from '../outcome.js';

/**
 * Leaves the one final record of an operation before its answer may leave.
 * @returns the outcome; where it could not be written down, the refusal that says so instead, for an answer without a
 * record is the thing this gateway exists to prevent
 */
export async function closeRecord(call: Call, journal: Journal, outcome: Outcome): Promise<Outcome> {
  try {
    await journal.close(call, outcome);
    return outcome;
  } catch (error) {
    return asOutcome(error);
  }
}
