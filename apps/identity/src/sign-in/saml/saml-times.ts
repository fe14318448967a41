import { SamlRefused } from './saml-refused.js';

/** Longer than a person may take at the provider: an older message answers no attempt that is still open. */
export const MESSAGE_AGE_MS = 600_000;

/** Now, and by how much another clock may differ from it. */
export interface SamlClock {
  readonly nowMs: number;
  readonly skewMs: number;
}

/** A moment of a message. SAML's are of UTC and say so (Core section 1.3.3). @throws SamlRefused(`why`) */
export function momentOf(text: string | undefined, why: string): number {
  const isMoment = text !== undefined && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/.test(text);
  const ms = isMoment ? Date.parse(text) : NaN;
  if (Number.isNaN(ms)) throw new SamlRefused(why);
  return ms;
}

/** Ensures that a message was made now. @throws SamlRefused */
export function ensureFresh(issueInstant: string | undefined, { nowMs, skewMs }: SamlClock): void {
  const atMs = momentOf(issueInstant, 'issue-instant');
  if (atMs > nowMs + skewMs || atMs < nowMs - MESSAGE_AGE_MS - skewMs) throw new SamlRefused('issue-instant');
}

/** Ensures that now is within what the attributes say. @throws SamlRefused(`why`) */
export function ensureWithin(attributes: ReadonlyMap<string, string>, { nowMs, skewMs }: SamlClock, why: string): void {
  const notBefore = attributes.get('NotBefore');
  const notOnOrAfter = attributes.get('NotOnOrAfter');
  if (notBefore !== undefined && momentOf(notBefore, why) > nowMs + skewMs) throw new SamlRefused(why);
  if (notOnOrAfter !== undefined && momentOf(notOnOrAfter, why) <= nowMs - skewMs) throw new SamlRefused(why);
}
