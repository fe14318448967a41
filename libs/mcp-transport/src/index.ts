export { createUpstream, type UpstreamOptions, type UpstreamSettings } from './create-upstream.js';
export type { StdioEntry } from './stdio-entry.js';
export {
  type CallSignal,
  type InterimMessage,
  type Upstream,
  UPSTREAM_BOUNDS,
  type UpstreamAnswer,
  type UpstreamBounds,
  type UpstreamCall,
  type UpstreamError,
} from './upstream.js';
export { type FailureReason, UpstreamFailure } from './upstream-failure.js';
