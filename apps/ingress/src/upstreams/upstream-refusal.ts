import type { UpstreamFailure } from '@warder/mcp-transport';
import { Refusal } from '../pipeline/refusal.js';

/** What an agent is told about an upstream that gave no answer; the reason stands in the record. */
export function refusalOf(upstream: string, failure: UpstreamFailure): Refusal {
  // Without a status nothing was sent, for the credential had ended.
  const isRefused = failure.status === 401 || (failure.reason === 'unauthorized' && failure.status === undefined);
  const isUnauthorized = isRefused && !failure.mayHaveActed;
  const facts = { isActUnknown: failure.mayHaveActed, ...(isUnauthorized ? { isUnauthorized } : {}) };
  const detail = `${failure.reason}: ${failure.message}`;
  if (failure.reason === 'timeout') {
    return new Refusal('WDR_UPSTREAM_TIMEOUT', `Upstream "${upstream}" did not answer in time`, detail, facts);
  }
  return new Refusal('WDR_UPSTREAM_FAILED', `Upstream "${upstream}" could not be reached`, detail, facts);
}
