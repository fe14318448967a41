import { AdminError } from '@warder/service-host';
import type { EntityManager } from 'typeorm';
import type { Provider } from './provider.entity.js';
import { placeOf } from './provider-place.js';

/** What becomes of the secret of our client. */
export interface ClientSecret {
  readonly clientSecret?: string | undefined;
  /** Whether the one that is stored stays where none is given. */
  readonly keepsSecret: boolean;
}

/** What a provider is to be. */
type Wanted = Pick<Provider, 'id' | 'entry' | 'parameters'>;

/**
 * What a provider that is set up can be made into: another client at the same place, and where nothing of it is held also
 * another place.
 * @throws AdminError 409 WDR_PROVIDER_IN_USE, 400 WDR_BODY_INVALID
 */
export async function ensureFits(
  manager: EntityManager,
  before: Provider | null,
  wanted: Wanted,
  { clientSecret, keepsSecret }: ClientSecret,
): Promise<void> {
  if (before?.status !== 'active') return;
  const { id, entry } = wanted;
  if (before.entry !== entry)
    throw new AdminError(409, 'WDR_PROVIDER_IN_USE', `${id} is ${before.entry}; a provider stays what it is`);
  if (placeOf(before) === placeOf(wanted)) return;
  if (await holdsTokens(manager, id))
    throw new AdminError(
      409,
      'WDR_PROVIDER_IN_USE',
      `${id} has tokens of the place where it is: disconnect them first, or set up another provider`,
    );
  // Whoever changes where it is sent has to know it: kept, it could be read by having it sent to oneself.
  if (before.hasSecret && clientSecret === undefined && keepsSecret)
    throw invalid('clientSecret: is to be given again with other parameters');
}

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

export function invalid(what: string): AdminError {
  return new AdminError(400, 'WDR_BODY_INVALID', what);
}
