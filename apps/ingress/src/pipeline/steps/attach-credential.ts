import type { CredentialLease } from '../../leases/lease-transport.js';
import type { Credentialed, Screened } from '../call.js';
import type { Leases } from '../gateway.js';
import { Refusal } from '../refusal.js';
import { askToOpen } from './ask-to-open.js';

type Attached = Pick<Credentialed, 'upstreamCredential'>;

/** The node asks for what it could not have once a second at first. */
const RETRY_AFTER_MS = 1_000;

/**
 * The caller's own token stays here; what goes up is the lease of the upstream's connection, waited for once if cold.
 * @returns a promise only where there is something to wait for
 * @throws Refusal WDR_CREDENTIAL_MISSING when the upstream's credential was revoked, WDR_LEASE_UNAVAILABLE when it did
 * not come here in time
 */
export function attachCredential(call: Screened, leases: Leases): Attached | Promise<Attached> {
  const lease = leases.credentialFor(call.target.upstream, call.principal.id, call.signal);
  return lease instanceof Promise ? lease.then((fetched) => attached(call, fetched)) : attached(call, lease);
}

function attached(call: Screened, lease: CredentialLease): Attached {
  if (lease.kind === 'credential') return { upstreamCredential: lease.credential };
  if (lease.kind === 'none') return { upstreamCredential: null };
  if (lease.kind === 'unavailable') {
    const message = `The credential for "${call.target.upstream}" is not here now, try again in a moment`;
    throw new Refusal('WDR_LEASE_UNAVAILABLE', message, lease.detail, { retryAfterMs: RETRY_AFTER_MS });
  }
  if (lease.connectAt !== undefined) throw notConnected(call, lease.connectAt, lease.detail);
  const message = `The gateway has no working credential for "${call.target.upstream}"`;
  throw new Refusal('WDR_CREDENTIAL_MISSING', message, lease.detail);
}

/**
 * The caller has no account at the upstream's provider yet. A client that can is asked to open the page where one is
 * connected, once: whoever comes back without one is told in words, as are all others.
 */
function notConnected(call: Screened, url: string, detail: string): Refusal {
  const { upstream } = call.target;
  const message = `Connect your account for "${upstream}" at ${url} and try again`;
  const asked = askToOpen(call, url, `Connect your account for "${upstream}" to go on`);
  if (asked === undefined) return new Refusal('WDR_CREDENTIAL_MISSING', message, detail);
  return new Refusal('WDR_CREDENTIAL_MISSING', message, `${detail}; the client was asked for it`, { asked });
}
