import type { Provider } from '@nestjs/common';
import { GrantsStore } from '../authorization/grants.store.js';
import type { IdentityConfig } from '../identity-config.js';
import { IdentityStore } from '../identity.store.js';
import { ServiceAccountsStore } from './service-accounts.store.js';
import { ServiceCredentialsStore } from './service-credentials.store.js';

/** Accounts of programs, and what they prove themselves with. */
export function agentProviders({ agents, pepper }: IdentityConfig): Provider[] {
  return [
    {
      provide: ServiceAccountsStore,
      inject: [IdentityStore],
      useFactory: (store: IdentityStore) => new ServiceAccountsStore(store, agents.accountsPerOwnerMax),
    },
    {
      provide: ServiceCredentialsStore,
      inject: [IdentityStore, GrantsStore, ServiceAccountsStore],
      useFactory: (store: IdentityStore, grants: GrantsStore, accounts: ServiceAccountsStore) =>
        new ServiceCredentialsStore(store, grants, accounts, pepper, agents.secretsPerAccountMax),
    },
  ];
}
