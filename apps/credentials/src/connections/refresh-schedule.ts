/** A token is had anew so long before its end, or a fifth of its life where that is longer. */
const MARGIN_MS = 300_000;
const MARGIN_SHARE = 0.2;
/** Of short lives no more than half is given away. */
const MARGIN_SHARE_MAX = 0.5;
/** By which connections that were made together are spread. */
const JITTER_SHARE = 0.1;

/**
 * When a new access token is due: ahead of the end of the one there is, at another moment for each connection.
 * @param random - from 0 to below 1
 * @returns wall milliseconds; null for a token without a known end, which is refreshed when it is refused
 */
export function refreshAtMs(expiresAtMs: number | null, nowMs: number, random: number): number | null {
  if (expiresAtMs === null) return null;
  const lifeMs = Math.max(0, expiresAtMs - nowMs);
  const marginMs = Math.min(Math.max(MARGIN_MS, lifeMs * MARGIN_SHARE), lifeMs * MARGIN_SHARE_MAX);
  return Math.round(nowMs + lifeMs - marginMs - lifeMs * JITTER_SHARE * random);
}

const BACK_OFF_MS = 5_000;
const BACK_OFF_MAX_MS = 900_000;

/**
 * How long a provider, or a connection, is left alone after so many failures in a row.
 * @param failures - 1 and up
 * @param random - from 0 to below 1: half of the time is spread
 */
export function backOffMs(failures: number, random: number): number {
  const ms = Math.min(BACK_OFF_MS * 2 ** Math.min(failures - 1, 16), BACK_OFF_MAX_MS);
  return Math.round(ms * (0.5 + random / 2));
}

/** What a provider's `Retry-After` is taken for: it can neither be ignored nor stop a connection for ever. */
export function retryAfterMs(askedMs: number | undefined, failures: number, random: number): number {
  if (askedMs === undefined) return backOffMs(failures, random);
  return Math.min(Math.max(askedMs, 1_000), 3_600_000);
}
