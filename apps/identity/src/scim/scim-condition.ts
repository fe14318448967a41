import { ScimError } from './scim-error.js';

/** What a request says of the version that it means. */
export interface Condition {
  readonly ifMatch: string | undefined;
}

/**
 * Refuses what was meant for another version. `W/` makes no difference: our versions are not of bytes.
 * @throws ScimError 412 WDR_VERSION_MISMATCH
 * @see RFC 7644 section 3.14
 */
export function checkVersion({ ifMatch }: Condition, version: string): void {
  if (ifMatch === undefined || names(ifMatch, version)) return;
  throw new ScimError(412, 'WDR_VERSION_MISMATCH', `another version is in force, ${version}`);
}

/** Whether a list of entity tags names the version. */
export function names(list: string, version: string): boolean {
  return list.trim() === '*' || list.split(',').some((tag) => bare(tag) === bare(version));
}

function bare(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}
