import type { AdmittedOperation } from '../call.js';
import { Refusal } from '../refusal.js';

/**
 * A session serves the principal that opened it and nobody else. Asked once the caller is known and has paid, so that
 * a foreign session costs and tells what an unknown one does, and its record says who tried.
 * @throws Refusal WDR_SESSION_UNKNOWN
 */
export function ensureOwnSession(call: AdmittedOperation): void {
  if (call.sessionPrincipalId === undefined || call.sessionPrincipalId === call.principal.id) return;
  throw new Refusal('WDR_SESSION_UNKNOWN', 'Session not found', 'a session of another principal');
}
