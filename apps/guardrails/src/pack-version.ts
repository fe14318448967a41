import { AdminError } from '@warder/service-host';

/** The entity tag of a pack's version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * The version that a change expects; `undefined` for `*`, which is whatever is there.
 * @throws AdminError 428 WDR_IF_MATCH_REQUIRED without the header, 412 WDR_VERSION_MISMATCH for a tag that is not ours
 * @see RFC 9110 section 13.1.1, RFC 6585 section 3
 */
export function expectedVersionOf(ifMatch: string | undefined): number | undefined {
  const tag = ifMatch?.trim() ?? '';
  if (tag === '') throw new AdminError(428, 'WDR_IF_MATCH_REQUIRED', 'send If-Match with the ETag that GET answered');
  if (tag === '*') return undefined;
  const version = /^"(\d{1,9})"$/.exec(tag)?.[1];
  if (version === undefined) throw new AdminError(412, 'WDR_VERSION_MISMATCH', 'If-Match holds no tag of a version');
  return Number(version);
}
