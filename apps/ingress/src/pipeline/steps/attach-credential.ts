import type { HeaderLease } from '@warder/secrets';
import type { Credentialed, Screened } from '../call.js';
import type { Leases } from '../gateway.js';
import { Refusal } from '../refusal.js';

type Attached = Pick<Credentialed, 'upstreamHeaders'>;

const NO_HEADERS: Attached['upstreamHeaders'] = {};

/**
 * The caller's own token stays here; what goes up is the lease of the upstream's connection, waited for once if cold.
 * @returns a promise only where there is something to wait for
 * @throws Refusal WDR_CREDENTIAL_MISSING when the upstream's credential was revoked or cannot be read
 */
export function attachCredential(call: Screened, leases: Leases): Attached | Promise<Attached> {
  const lease = leases.headersFor(call.target.upstream, call.principal.id, call.signal);
  return lease instanceof Promise ? lease.then((fetched) => attached(call, fetched)) : attached(call, lease);
}

function attached(call: Screened, lease: HeaderLease): Attached {
  if (lease.kind === 'headers') return { upstreamHeaders: lease.headers };
  if (lease.kind === 'none') return { upstreamHeaders: NO_HEADERS };
  const message = `The gateway has no working credential for "${call.target.upstream}"`;
  throw new Refusal('WDR_CREDENTIAL_MISSING', message, lease.detail);
}
