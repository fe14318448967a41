import { Inject, type OnApplicationBootstrap, type Provider } from '@nestjs/common';
import { Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { IdentityConfig } from '../identity-config.js';
import { IdentityStore } from '../identity.store.js';
import { TrustedIssuerStore } from './trusted-issuer.store.js';
import { watchTrustedIssuer } from './trusted-issuer-watch.js';

const WATCH = Symbol('how the trusted issuer is watched');

/** Begins to look at the company's authorization server, or lets go of it. */
class TrustedIssuerStart implements OnApplicationBootstrap {
  constructor(@Inject(WATCH) private readonly watch: () => Promise<void>) {}

  onApplicationBootstrap(): Promise<void> {
    return this.watch();
  }
}

/** What tells the nodes of the company's own authorization server. */
export function trustedIssuerProviders(config: IdentityConfig, host: Host): Provider[] {
  return [
    {
      provide: TrustedIssuerStore,
      inject: [IdentityStore, Outbox],
      useFactory: (store: IdentityStore, outbox: Outbox) => new TrustedIssuerStore(store, outbox),
    },
    {
      provide: WATCH,
      inject: [TrustedIssuerStore],
      useFactory: (store: TrustedIssuerStore) => () => watchTrustedIssuer(config.authorization, host, store),
    },
    TrustedIssuerStart,
  ];
}
