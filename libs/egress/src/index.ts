export { isPublicAddress, literalAddress } from './address-guard.js';
export { AddressRefused, type DialOptions, type Resolver } from './dial.js';
export { type GuardedFetch, guardedFetch, type GuardedFetchOptions } from './guarded-fetch.js';
export { createPool, POOL_BOUNDS, type PoolBounds, type PoolOptions } from './guarded-pool.js';
export { type HttpAnswer, type HttpPost, HttpPoster, type HttpPosterOptions, PostFailed } from './http-poster.js';
export { type ExchangeHandler } from './origin-connection.js';
export { OriginPool, type OriginPoolOptions, PoolClosed, type PoolRequest } from './origin-pool.js';
export { MalformedResponse, type ResponseHead } from './response-parser.js';
