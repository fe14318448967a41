import { createHash } from 'node:crypto';
import type { Provider } from './provider.entity.js';

/**
 * Where a provider's requests go, as one text to compare: tokens and codes of one place are sent to no other. Our client
 * there, its secret and what is asked for may change, and the place stays the same.
 */
export function placeOf({ entry, parameters }: Pick<Provider, 'entry' | 'parameters'>): string {
  const named = Object.entries(parameters).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([entry, named]))
    .digest('base64url');
}
