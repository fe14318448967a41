export { isPublicAddress, literalAddress } from './address-guard.js';
export {
  AddressRefused,
  createPool,
  POOL_BOUNDS,
  type PoolBounds,
  type PoolOptions,
  type Resolver,
} from './guarded-pool.js';
export { type HttpAnswer, type HttpPost, HttpPoster, type HttpPosterOptions, PostFailed } from './http-poster.js';
