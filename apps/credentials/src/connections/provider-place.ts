import { createHash } from 'node:crypto';
import type { PutProvider } from '@warder/contracts';
import type { Provider } from './provider.entity.js';

/**
 * Where a provider's requests go, as one text to compare: tokens and codes of one place are sent to no other. Our client
 * there, its secret and what is asked for may change, and the place stays the same; whose tokens are sent there does not.
 */
export function placeOf({
  entry,
  parameters,
  exchange,
}: Pick<Provider, 'entry' | 'parameters'> & { readonly exchange?: PutProvider['exchange'] | null }): string {
  const named = Object.entries(parameters).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256')
    .update(JSON.stringify([entry, named, ...(exchange == null ? [] : [exchange.from])]))
    .digest('base64url');
}
