import { lookup as resolve, type LookupAddress, type LookupAllOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { buildConnector, Pool } from 'undici';
import { isPublicAddress, literalAddress } from './address-guard.js';

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

/** Resolves a name to all its addresses; the system's resolver unless a test says otherwise. */
export type Resolver = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A connection that was refused before a byte was sent, for its address is not public. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code = 'WDR_ADDRESS_REFUSED';
}

export interface PoolOptions {
  /** An operator named this target: loopback, private and link-local addresses are allowed. */
  readonly allowPrivateAddress: boolean;
  readonly bounds?: Partial<PoolBounds>;
  readonly resolver?: Resolver;
  /** Authorities trusted in place of the system's, PEM. */
  readonly ca?: string;
  /** Certificates are verified even where `NODE_TLS_REJECT_UNAUTHORIZED=0` stands in the environment. */
  readonly verifiesAlways?: boolean;
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

function guardedLookup(allowPrivate: boolean, resolver: Resolver): LookupFunction {
  return (hostname, options, callback) => {
    resolver(hostname, { ...options, all: true } as LookupAllOptions, (error, addresses) => {
      if (error !== null) return callback(error, '', 0);
      // One private address among public ones is enough to refuse: which one is dialled is not ours to choose.
      const bad = allowPrivate ? undefined : addresses.find(({ address }) => !isPublicAddress(address));
      if (bad !== undefined) {
        return callback(new AddressRefused(`${hostname} resolves to ${bad.address}, not a public address`), '', 0);
      }
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      callback(null, first?.address ?? '', first?.family ?? 0);
    });
  };
}
