import { CANARY_PRINCIPAL_ID } from '@warder/contracts';
import type { Host } from '@warder/service-host';
import type { Revoked } from '@warder/tokens';

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60];

/**
 * Measures how long after identity committed it a revocation is enforced on this node, by the canary's. Register it after
 * whatever enforces: listeners are told in order.
 * @param isCurrent - whether the node follows; what it reads of the past while it starts tells nothing
 */
export function measurePropagation(
  host: Pick<Host, 'metrics' | 'clock'>,
  onRevoked: (listener: (what: Revoked) => void) => void,
  isCurrent: () => boolean,
): void {
  const seconds = host.metrics.histogram(
    'warder_revocation_propagation_seconds',
    'From the time of a revocation until it was enforced on this node',
    [],
    BUCKETS_SECONDS,
  );
  onRevoked((what) => {
    if (!('principalId' in what) || what.principalId !== CANARY_PRINCIPAL_ID || !isCurrent()) return;
    // Two machines' clocks: one that is behind would make it negative.
    if (what.signedInBeforeMs !== undefined)
      seconds.observe(Math.max(0, host.clock.wallMs() - what.signedInBeforeMs) / 1_000);
  });
}
