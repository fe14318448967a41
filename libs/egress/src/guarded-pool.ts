import { lookup as resolve } from 'node:dns';
import { buildConnector, Pool } from 'undici';
import { isPublicAddress, literalAddress } from './address-guard.js';
import { AddressRefused, type DialOptions, guardedLookup } from './dial.js';

/** The bounds of one pool of connections. */
export interface PoolBounds {
  /** Connections at a time. */
  readonly connectionsMax: number;
  /** Milliseconds until a connection must stand. */
  readonly connectTimeoutMs: number;
  /** Milliseconds an idle connection is kept. */
  readonly idleTimeoutMs: number;
}

export const POOL_BOUNDS: PoolBounds = { connectionsMax: 128, connectTimeoutMs: 5_000, idleTimeoutMs: 30_000 };

export interface PoolOptions extends DialOptions {
  readonly bounds?: Partial<PoolBounds>;
}

/**
 * A pool of connections to one origin. The address is checked where it is dialled, after resolution, so a name that
 * resolves to something else the second time (DNS rebinding) gains nothing. `dispatch` follows no redirect.
 * There is no time limit on answers here: callers hold their own deadline, for a stream may rightly be silent for long.
 * @throws TypeError for an origin that is not http or https
 */
export function createPool(origin: URL, options: PoolOptions): Pool {
  if (origin.protocol !== 'http:' && origin.protocol !== 'https:')
    throw new TypeError('only http and https are dialled');
  const bounds = { ...POOL_BOUNDS, ...options.bounds };
  const connect = buildConnector({
    timeout: bounds.connectTimeoutMs,
    keepAlive: true,
    lookup: guardedLookup(options.allowPrivateAddress, options.resolver ?? resolve),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.verifiesAlways === true ? { rejectUnauthorized: true } : {}),
  });
  return new Pool(origin.origin, {
    connections: bounds.connectionsMax,
    pipelining: 1,
    keepAliveTimeout: bounds.idleTimeoutMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (target, callback) => {
      const literal = literalAddress(target.hostname);
      // No resolver is asked for a literal address, so the lookup below would not see it.
      if (literal !== undefined && !options.allowPrivateAddress && !isPublicAddress(literal)) {
        callback(new AddressRefused(`${literal} is not a public address`), null);
        return;
      }
      connect(target, callback);
    },
  });
}
