import { createHash } from 'node:crypto';

/** Characters of an exposed name at most: what the strictest clients take. */
export const EXPOSED_NAME_MAX = 64;
const SUFFIX_HEX = 8;

/**
 * The name under which a tool is exposed: `<prefix>__<tool>`, or the tool's own name where the prefix is empty.
 * A name that had to be changed (other characters than `[A-Za-z0-9_-]`, or longer than 64) ends in a hash of the
 * canonical name, so that two tools which look alike after the change stay apart.
 * @returns 1-64 characters of `[A-Za-z0-9_-]`
 */
export function exposedNameOf(canonical: string, tool: string, prefix: string): string {
  const wanted = prefix === '' ? tool : `${prefix}__${tool}`;
  const clean = wanted.replace(/[^A-Za-z0-9_-]/g, '_');
  return clean === wanted && clean !== '' && clean.length <= EXPOSED_NAME_MAX ? clean : withHash(clean, canonical);
}

/** The name cut and ended by `_` and eight hex digits of the SHA-256 of the canonical name; at most 64 characters. */
export function withHash(name: string, canonical: string): string {
  const hash = createHash('sha256').update(canonical).digest('hex').slice(0, SUFFIX_HEX);
  return `${name.slice(0, EXPOSED_NAME_MAX - SUFFIX_HEX - 1)}_${hash}`;
}
