/**
 * Why a call has no answer.
 * - `unreachable`: no connection, or it broke; also a child that cannot be started
 * - `unavailable`: not tried, for the upstream failed too often just now
 * - `unauthorized`: 401 or 403
 * - `protocol`: an answer that is none, a redirect, an encoding nobody asked for
 * - `too-large`: an answer past its bound
 */
export type FailureReason =
  | 'unreachable'
  | 'unavailable'
  | 'unauthorized'
  | 'address-refused'
  | 'protocol'
  | 'too-large'
  | 'timeout'
  | 'cancelled';

/** A call that has no answer of the upstream. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';

  /** @param mayHaveActed - the request had left, so the upstream may have done what it asked */
  constructor(
    readonly reason: FailureReason,
    message: string,
    readonly mayHaveActed: boolean,
    /** HTTP status of the upstream, where there was one. */
    readonly status?: number,
  ) {
    super(message);
  }
}
