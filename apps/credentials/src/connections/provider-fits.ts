import type { PutProvider } from '@warder/contracts';
import { AdminError } from '@warder/service-host';
import type { EntityManager } from 'typeorm';
import type { Provider } from './provider.entity.js';
import { placeOf } from './provider-place.js';

/** Whether there is a token of the provider that the next request would send there. */
async function holdsTokens(manager: EntityManager, id: string): Promise<boolean> {
  const held: unknown[] = await manager.query(
    `SELECT 1 FROM connection
     WHERE provider = $1 AND (status = 'active' OR access_token IS NOT NULL OR refresh_token IS NOT NULL)
     UNION ALL SELECT 1 FROM token_ending WHERE provider = $1 LIMIT 1`,
    [id],
  );
  return held.length > 0;
}

/** @throws AdminError for what a provider that is set up cannot be made into */
export async function ensureFits(
  manager: EntityManager,
  before: Provider | null,
  id: string,
  body: PutProvider,
): Promise<void> {
  if (before?.status !== 'active') return;
  if (before.entry !== body.entry)
    throw new AdminError(409, 'WDR_PROVIDER_IN_USE', `${id} is ${before.entry}; a provider stays what it is`);
  if (placeOf(before) === placeOf(body)) return;
  if (await holdsTokens(manager, id))
    throw new AdminError(
      409,
      'WDR_PROVIDER_IN_USE',
      `${id} has tokens of the place where it is: disconnect them first, or set up another provider`,
    );
  // Whoever changes where it is sent has to know it: kept, it could be read by having it sent to oneself.
  if (before.hasSecret && body.clientSecret === undefined)
    throw invalid('clientSecret: is to be given again with other parameters');
}

/** A body that says what cannot be. */
export function invalid(what: string): AdminError {
  return new AdminError(400, 'WDR_BODY_INVALID', what);
}
