import { type DynamicModule, Inject, Module, type OnModuleInit, type Provider } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess, adminAccessModule } from '@warder/admin-access';
import { databaseModule, Outbox } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { OwnAccessController } from './account/own-access.controller.js';
import { SessionsController } from './account/sessions.controller.js';
import { AccessHold } from './access-hold.entity.js';
import { agentProviders } from './agents/agents.module.js';
import { ServiceAccountsController } from './agents/service-accounts.controller.js';
import { ServiceCredentialsStore } from './agents/service-credentials.store.js';
import { trustedIssuerProviders } from './authorization/trusted-issuer.module.js';
import { authorizationProviders } from './authorization/authorization.module.js';
import { GrantsStore } from './authorization/grants.store.js';
import { bootstrap } from './bootstrap.js';
import { Canary } from './canary.js';
import { ENDS_ACCESS, type EndsAccess } from './ends-access.store.js';
import type { IdentityConfig } from './identity-config.js';
import { IdentityStore } from './identity.store.js';
import { leakParts } from './leaks/leaks.module.js';
import { livenessProviders } from './liveness/liveness.module.js';
import { MeController } from './me.controller.js';
import { CreateAgents1790000001600 } from './migrations/create-agents.js';
import { CreateAuthorization1790000001300 } from './migrations/create-authorization.js';
import { CreateBrowserSessions1790000001700 } from './migrations/create-browser-sessions.js';
import { CreateIdentity1790000001000 } from './migrations/create-identity.js';
import { HoldAnswers1790000001400 } from './migrations/hold-answers.js';
import { CreateScim1790000001100 } from './migrations/create-scim.js';
import { CreateSignals1790000001500 } from './migrations/create-signals.js';
import { TimeSignIns1790000002100 } from './migrations/time-sign-ins.js';
import { TrustIssuer1790000001800 } from './migrations/trust-issuer.js';
import { TurnSigningKeys1790000002300 } from './migrations/turn-signing-keys.js';
import { RotateTokens1790000001200 } from './migrations/rotate-tokens.js';
import { Offboarding } from './offboarding.store.js';
import { Principal } from './principal.entity.js';
import { PrincipalsController } from './principals.controller.js';
import { PrincipalsStore } from './principals.store.js';
import { SCIM_ENTITIES, scimParts } from './scim/scim.module.js';
import { HOST, TokenUsesConsumer } from './token-uses.consumer.js';
import { TokenRotation } from './token-rotation.store.js';
import { Token } from './token.entity.js';
import { signalProviders } from './signals/signals.module.js';
import { AccessController } from './sign-in/access.controller.js';
import { SigningKeysController } from './authorization/signing-keys.controller.js';
import { Spread, TOPICS } from './spread.js';
import { TokensController } from './tokens.controller.js';
import { TokensStore } from './tokens.store.js';

const REFUSED = Symbol('what the door of identity refused');
const CONFIG = Symbol('identity config');
const STARTED = Symbol('what identity does by itself');

const MIGRATIONS = [
  CreateIdentity1790000001000,
  CreateScim1790000001100,
  RotateTokens1790000001200,
  CreateAuthorization1790000001300,
  HoldAnswers1790000001400,
  CreateSignals1790000001500,
  CreateAgents1790000001600,
  CreateBrowserSessions1790000001700,
  TrustIssuer1790000001800,
  TimeSignIns1790000002100,
  TurnSigningKeys1790000002300,
];
const ENTITIES = [Principal, Token, AccessHold, ...SCIM_ENTITIES];
const CONTROLLERS = [
  PrincipalsController,
  TokensController,
  MeController,
  AccessController,
  ServiceAccountsController,
  SessionsController,
  SigningKeysController,
  OwnAccessController,
];

/** What the service does by itself. */
interface Started {
  readonly tokens: TokensStore;
  readonly spread: Spread;
  readonly canary: Canary;
}

/** Starts what the service does without being asked: makes the first administrator and publishes what it owns. */
class IdentityStart implements OnModuleInit {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(CONFIG) private readonly config: IdentityConfig,
    @Inject(IdentityStore) private readonly store: IdentityStore,
    @Inject(STARTED) private readonly started: Started,
  ) {}

  async onModuleInit(): Promise<void> {
    const { host, config, store, started } = this;
    const { spread, tokens } = started;
    await host.bus.ensureTopics(TOPICS);
    await store.republish();
    host.enrolment?.onRotated(() => store.republish());
    await bootstrap(store, tokens, config.bootstrapTokenFile, config.tokens.maxDays);
    host.onDrain('outbox', () => spread.stop());
    // Not waited for: while the bus is away administration goes on, and changes stay in the outbox.
    spread.start().catch((error: unknown) => host.log.error({ err: error }, 'principals and tokens have no owner'));
    if (config.canarySeconds > 0) this.startCanary(config.canarySeconds * 1_000);
  }

  private startCanary(everyMs: number): void {
    const { host } = this;
    const { canary } = this.started;
    const tell = (error: unknown): void => host.log.warn({ err: error }, 'the canary could not be signed out');
    const timer = setInterval(() => void canary.signOut().catch(tell), everyMs).unref();
    host.onDrain('canary', async () => clearInterval(timer));
  }
}

/** Holder of the dynamic module that `identityModule` makes. */
@Module({})
export class IdentityModule {}

/** The identity service: its database, its doors, its topics. */
export function identityModule(config: IdentityConfig, host: Host): DynamicModule {
  const { url } = config.database;
  const scim = scimParts(config, host);
  const leaks = leakParts(config, host);
  return {
    module: IdentityModule,
    imports: [
      databaseModule('identity', url, { entities: ENTITIES, migrations: MIGRATIONS }),
      adminAccessModule(host, { pepper: config.pepper }),
    ],
    controllers: [...CONTROLLERS, ...scim.controllers, ...leaks.controllers],
    providers: [
      { provide: HOST, useValue: host },
      { provide: CONFIG, useValue: config },
      { provide: Outbox, useFactory: () => new Outbox(host, { service: 'identity', url, topics: TOPICS }) },
      { provide: Spread, inject: [Outbox], useFactory: (outbox: Outbox) => new Spread(host.bus, outbox) },
      {
        provide: IdentityStore,
        inject: [getDataSourceToken('identity'), Outbox],
        useFactory: (source: DataSource, outbox: Outbox) =>
          new IdentityStore(source, outbox, () => host.clock.wallMs()),
      },
      {
        provide: PrincipalsStore,
        inject: [IdentityStore],
        useFactory: (store: IdentityStore) => new PrincipalsStore(store),
      },
      {
        provide: TokensStore,
        inject: [IdentityStore],
        useFactory: (store: IdentityStore) => new TokensStore(store, config.pepper, config.tokens),
      },
      {
        provide: TokenRotation,
        inject: [IdentityStore, TokensStore],
        useFactory: (store: IdentityStore, tokens: TokensStore) =>
          new TokenRotation(store, tokens, config.pepper, config.tokens),
      },
      ...agentProviders(config),
      {
        provide: ENDS_ACCESS,
        inject: [TokensStore, GrantsStore, ServiceCredentialsStore],
        useFactory: (...ends: EndsAccess[]) => ends,
      },
      ...authorizationProviders(config, host),
      ...trustedIssuerProviders(config, host),
      {
        provide: Offboarding,
        inject: [IdentityStore, ENDS_ACCESS],
        useFactory: (store: IdentityStore, ends: EndsAccess[]) => new Offboarding(store, ends),
      },
      {
        provide: REFUSED,
        inject: [AdminAccess, getDataSourceToken('identity'), Outbox],
        useFactory: ({ refused }: AdminAccess, source: DataSource, outbox: Outbox) =>
          refused.writeTo('identity', (action) =>
            source.transaction((manager) => outbox.recordAdminAction(manager, action)),
          ),
      },
      ...startProviders(host),
      TokenUsesConsumer,
      ...scim.providers,
      ...leaks.providers,
      ...signalProviders(config, host),
      ...livenessProviders(config, host),
    ],
  };
}

/** What identity does once its parts are there. */
function startProviders(host: Host): Provider[] {
  return [
    {
      provide: STARTED,
      inject: [TokensStore, Spread, getDataSourceToken('identity'), Outbox],
      useFactory: (tokens: TokensStore, spread: Spread, source: DataSource, outbox: Outbox): Started => ({
        tokens,
        spread,
        canary: new Canary(source, outbox, () => host.clock.wallMs()),
      }),
    },
    IdentityStart,
  ];
}
