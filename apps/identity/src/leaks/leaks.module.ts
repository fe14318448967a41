import type { ModuleMetadata } from '@nestjs/common';
import type { Host } from '@warder/service-host';
import { ServiceCredentialsStore } from '../agents/service-credentials.store.js';
import type { IdentityConfig } from '../identity-config.js';
import { IdentityStore } from '../identity.store.js';
import { LeakedTokensController, TOKENS_MAX } from './leaked-tokens.controller.js';
import { LeakedTokens } from './leaked-tokens.store.js';
import { LEAKS_PREFIX, LeaksDoor } from './leaks-door.js';

/** The part of identity to which secret scanners report; without a configuration a door that is not there. */
export function leakParts(
  { leakedTokens, pepper }: IdentityConfig,
  host: Host,
): Required<Pick<ModuleMetadata, 'controllers' | 'providers'>> {
  const door = new LeaksDoor(leakedTokens, host);
  host.sideDoor(LEAKS_PREFIX, door);
  if (leakedTokens === undefined) return { controllers: [], providers: [] };
  return {
    controllers: [LeakedTokensController],
    providers: [
      { provide: LeaksDoor, useValue: door },
      { provide: TOKENS_MAX, useValue: leakedTokens.tokensMax },
      {
        provide: LeakedTokens,
        inject: [IdentityStore, ServiceCredentialsStore],
        useFactory: (store: IdentityStore, credentials: ServiceCredentialsStore) =>
          new LeakedTokens(store, credentials, pepper),
      },
    ],
  };
}
