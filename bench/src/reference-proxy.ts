import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** SHA-256 of `ref/raw.mjs`; a change of R makes older ratios mean something else, so it is a decision of its own. */
const REFERENCE_SHA256 = 'd6d37e4739b263d809a7fb3856a30630a499b10cf73cbfcd4791b2fd424f5129';
const REFERENCE_LINES_MAX = 60;

/**
 * The script of the reference proxy R.
 * @throws Error when its source is not the pinned one, or longer than 60 lines
 */
export function referenceProxy(): string {
  const path = fileURLToPath(new URL('../ref/raw.mjs', import.meta.url));
  const source = readFileSync(path, 'utf8');
  const hash = createHash('sha256').update(source).digest('hex');
  if (hash !== REFERENCE_SHA256) throw new Error(`bench/ref/raw.mjs is not the pinned reference (sha256 ${hash})`);
  if (source.trimEnd().split('\n').length > REFERENCE_LINES_MAX) throw new Error('bench/ref/raw.mjs has over 60 lines');
  return path;
}
