import { Inject, type FactoryProvider, type OnModuleInit, type Provider } from '@nestjs/common';
import { Outbox } from '@warder/postgres';
import type { IdentityConfig } from '../identity-config.js';
import { IdentityStore } from '../identity.store.js';
import { GrantsStore } from './grants.store.js';
import { Sealing } from './sealing.js';
import { SigningKeysStore } from './signing-keys.store.js';

/** Opens the authorization server: its keys are there before the first request. */
class AuthorizationStart implements OnModuleInit {
  constructor(@Inject(SigningKeysStore) private readonly keys: SigningKeysStore) {}

  async onModuleInit(): Promise<void> {
    await this.keys.load();
  }
}

const ACCESS_MS = 3_600_000;

/** What signs access tokens and ends them. */
export function authorizationProviders(config: IdentityConfig): Provider[] {
  const sealing: FactoryProvider = { provide: Sealing, useFactory: () => new Sealing(config.pepper) };
  return [
    sealing,
    {
      provide: GrantsStore,
      inject: [IdentityStore, Outbox],
      useFactory: (store: IdentityStore, outbox: Outbox) => new GrantsStore(store, outbox, ACCESS_MS),
    },
    {
      provide: SigningKeysStore,
      inject: [IdentityStore, Outbox, Sealing],
      useFactory: (store: IdentityStore, outbox: Outbox, seal: Sealing) => new SigningKeysStore(store, outbox, seal),
    },
    AuthorizationStart,
  ];
}
