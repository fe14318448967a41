import type { ClientCertificate, Upstream as DescribedUpstream } from '@warder/contracts';
import { OriginPool } from '@warder/egress';
import type { Logger } from '@warder/telemetry';
import { HttpUpstream } from './http-upstream.js';
import type { StdioEntry } from './stdio-entry.js';
import { StdioUpstream } from './stdio-upstream.js';
import { type Upstream, UPSTREAM_BOUNDS, type UpstreamBounds } from './upstream.js';
import { UpstreamByCertificate } from './upstream-by-certificate.js';

/** What of an upstream's description says how it is reached. */
export type UpstreamSettings = Pick<DescribedUpstream, 'transport' | 'timeoutMs' | 'allowPrivateAddress'>;

export interface UpstreamOptions {
  readonly name: string;
  readonly settings: UpstreamSettings;
  /** The node's own entry for a stdio upstream. */
  readonly stdioEntry?: StdioEntry;
  readonly log: Logger;
  readonly clock: { monotonicMs(): number; wallMs(): number };
  readonly bounds?: Partial<UpstreamBounds>;
}

/**
 * An upstream as the policy describes it. Nothing is dialled or started before the first call or listing.
 * @throws Error for a stdio upstream whose entry this node does not have
 */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { name, settings, clock, log } = options;
  const bounds = { ...UPSTREAM_BOUNDS, ...options.bounds };
  const nowMs = () => clock.monotonicMs();
  if (settings.transport.kind === 'stdio') {
    if (options.stdioEntry === undefined) {
      throw new Error(`upstream ${name}: this node's stdio.yaml has no entry "${settings.transport.entry}"`);
    }
    return new StdioUpstream({ name, entry: options.stdioEntry, bounds, log, nowMs });
  }
  const url = new URL(settings.transport.url);
  const wallMs = () => clock.wallMs();
  const make = (certificate?: ClientCertificate) => {
    const pool = new OriginPool(url, {
      allowPrivateAddress: settings.allowPrivateAddress,
      bounds: { connectionsMax: bounds.concurrencyMax, connectTimeoutMs: bounds.connectTimeoutMs },
      ...(certificate === undefined ? {} : { clientCertificate: certificate }),
    });
    return new HttpUpstream({ name, url, pool, bounds, nowMs, wallMs, followsCalls: certificate === undefined });
  };
  return new UpstreamByCertificate(name, make, bounds.certificatesMax);
}
