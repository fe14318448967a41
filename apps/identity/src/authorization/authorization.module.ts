import { readFileSync } from 'node:fs';
import { Inject, type OnApplicationBootstrap, type Provider } from '@nestjs/common';
import { AdminAccess } from '@warder/admin-access';
import { guardedFetch } from '@warder/egress';
import { BrowserForms } from '@warder/pages';
import { type AdminAction, Outbox, storeErrorOf } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { EntityManager } from 'typeorm';
import type { AgentsParts } from '../agents/create-agents.js';
import { ServiceCredentialsStore } from '../agents/service-credentials.store.js';
import type { IdentityConfig } from '../identity-config.js';
import { accountOf } from '../account/account.module.js';
import { SessionsStore } from '../account/sessions.store.js';
import { IdentityStore } from '../identity.store.js';
import { LivenessStore } from '../liveness/liveness.store.js';
import { Spread } from '../spread.js';
import { TokenRotation } from '../token-rotation.store.js';
import { TokensStore } from '../tokens.store.js';
import { AttemptsStore } from '../sign-in/attempts.store.js';
import { BackchannelLogout } from '../sign-in/backchannel-logout.js';
import { companyProviders } from '../sign-in/company-providers.js';
import { CompanySignIn } from '../sign-in/company-sign-in.js';
import { NewPassword } from '../sign-in/new-password.js';
import { PasswordHashing } from '../sign-in/password-hashing.js';
import { PasswordsStore } from '../sign-in/passwords.store.js';
import { PeopleStore } from '../sign-in/people.store.js';
import { SignIn, type SignInParts } from '../sign-in/sign-in.js';
import { SignInLimits } from '../sign-in/sign-in-limits.js';
import { SingleLogout } from '../sign-in/single-logout.js';
import { AuthorizationDoor, PREFIXES } from './authorization-door.js';
import { ClientDocuments } from './client-documents.js';
import { ClientsStore } from './clients.store.js';
import { GrantsStore } from './grants.store.js';
import { KeySets } from './key-sets.js';
import type { createProvider } from './provider.js';
import { InteractionsStore } from './interactions.store.js';
import { registeredBy, ROUTES } from './routes.js';
import { Sealing } from './sealing.js';
import { SigningKeys } from './signing-keys.js';
import { SigningKeysStore } from './signing-keys.store.js';
import { timesOf, turnKeys } from './turn-keys.js';
import { VirtualServers } from './virtual-servers.js';

const SWEEP_EVERY_MS = 600_000;
const FETCH = { timeoutMs: 5_000, bytesMax: 262_144 };
const OPENING = Symbol('how the authorization server is opened');

/** Opens the authorization server and the pages of signing in. */
class AuthorizationStart implements OnApplicationBootstrap {
  constructor(@Inject(OPENING) private readonly open: () => Promise<void>) {}

  onApplicationBootstrap(): Promise<void> {
    return this.open();
  }
}

interface Stores {
  readonly store: IdentityStore;
  readonly outbox: Outbox;
  readonly grants: GrantsStore;
  readonly keys: SigningKeysStore;
  readonly people: PeopleStore;
  readonly passwords: PasswordsStore;
  readonly sealing: Sealing;
  readonly access: AdminAccess;
  readonly credentials: ServiceCredentialsStore;
  readonly sessions: SessionsStore;
  readonly tokens: TokensStore;
  readonly rotation: TokenRotation;
  readonly spread: Spread;
}

/** Under what each is asked for. */
const STORES = {
  store: IdentityStore,
  outbox: Outbox,
  grants: GrantsStore,
  keys: SigningKeysStore,
  people: PeopleStore,
  passwords: PasswordsStore,
  sealing: Sealing,
  access: AdminAccess,
  sessions: SessionsStore,
  tokens: TokensStore,
  rotation: TokenRotation,
  spread: Spread,
  credentials: ServiceCredentialsStore,
} satisfies Record<keyof Stores, unknown>;

/** What people sign in with, and what clients get their tokens from. */
export function authorizationProviders(config: IdentityConfig, host: Host): Provider[] {
  return [
    { provide: Sealing, useFactory: () => new Sealing(config.pepper) },
    {
      provide: GrantsStore,
      inject: [IdentityStore, Outbox],
      useFactory: (store: IdentityStore, outbox: Outbox) =>
        new GrantsStore(store, outbox, config.authorization.accessTokenMinutes * 60_000),
    },
    {
      provide: SigningKeysStore,
      inject: [IdentityStore, Outbox, Sealing],
      useFactory: (store: IdentityStore, outbox: Outbox, sealing: Sealing) =>
        new SigningKeysStore(store, outbox, sealing, timesOf(config), new SigningKeys()),
    },
    {
      provide: PeopleStore,
      inject: [IdentityStore, GrantsStore, Outbox, LivenessStore],
      useFactory: (store: IdentityStore, grants: GrantsStore, outbox: Outbox, liveness: LivenessStore) =>
        new PeopleStore(
          store,
          grants,
          config.groupRules,
          (manager: EntityManager, action: AdminAction) => outbox.recordAdminAction(manager, action),
          liveness,
        ),
    },
    {
      provide: PasswordsStore,
      inject: [IdentityStore],
      useFactory: (store: IdentityStore) =>
        new PasswordsStore(store, () => host.door.publicUrl().origin, hashingOf(config)),
    },
    {
      provide: SessionsStore,
      inject: [IdentityStore],
      useFactory: (store: IdentityStore) => new SessionsStore(store),
    },
    {
      provide: OPENING,
      inject: Object.values(STORES),
      useFactory: (...given: unknown[]) => {
        const stores = Object.fromEntries(Object.keys(STORES).map((name, index) => [name, given[index]]));
        return () => open(config, host, stores as unknown as Stores);
      },
    },
    AuthorizationStart,
  ];
}

function hashingOf({ signIn }: IdentityConfig): PasswordHashing {
  return new PasswordHashing({ runningMax: signIn.passwordsAtOnce, waitingMax: signIn.passwordsWaitingMax });
}

async function open(config: IdentityConfig, host: Host, stores: Stores): Promise<void> {
  const { authorization } = config;
  const { store, grants, sealing, people } = stores;
  const publicUrl = host.door.publicUrl();
  const { origin } = publicUrl;
  const servers = new VirtualServers(host.bus);
  servers.start((error) => host.log.error({ err: error }, 'policies and tools cannot be read'));
  host.onDrain('virtual servers', () => servers.stop());
  const isNamed = (url: URL): boolean => authorization.privateDocumentHosts.includes(url.host);
  const { documentCaFile } = authorization;
  const ca = documentCaFile === undefined ? {} : { ca: readFileSync(documentCaFile, 'utf8') };
  await stores.keys.load();
  turnKeys(host, stores.keys, stores.spread);
  const keySets = new KeySets(() => host.clock.monotonicMs());
  const provider = (await loadProvider())({
    origin,
    config: authorization,
    items: { store, grants, sealing },
    keys: stores.keys.held,
    documents: new ClientDocuments(store, guardedFetch({ ...FETCH, ...ca, isNamed }), keySets),
    servers,
    keySets,
    agents: agentsPartsOf(config, stores),
    isActive: async (id) => (await people.active(id)) !== undefined,
  });
  provider.on('server_error', (_, error) =>
    host.log.error({ err: storeErrorOf(error) }, 'the authorization server failed'),
  );
  const clients = new ClientsStore(store, authorization.registration.unusedDays);
  const sweep = (): void =>
    void clients
      .sweep()
      .catch((error: unknown) => host.log.warn({ err: storeErrorOf(error) }, 'what expired could not be removed'));
  const sweeper = setInterval(sweep, SWEEP_EVERY_MS).unref();
  host.onDrain('sweeper', async () => clearInterval(sweeper));
  // Before the server is asked for what answers: it is to note who comes.
  const account = accountOf(config, host, provider, stores);
  const answer = provider.callback();
  const door = new AuthorizationDoor({
    origin: publicUrl,
    registration: authorization.registration,
    keySet: () => stores.keys.held.set(),
    answer: (request, response) => void answer(request, response),
    clientAddress: (request) => host.door.clientAddress(request),
    monotonicMs: () => host.clock.monotonicMs(),
    hasRoom: () => clients.hasRoom(),
    onError: (error) => host.log.error({ err: storeErrorOf(error) }, 'a client could not register'),
  });
  const signIn = signInOf(config, host, stores, { provider, servers });
  for (const prefix of PREFIXES) host.mountRaw(prefix, door.handle);
  host.mountRaw('/account', (request, response) => {
    if (!door.isAnswered(request, response, account.tooMuch)) void account.handle(request, response);
  });
  host.mountRaw('/sign-in', (request, response) => {
    if (!door.isAnswered(request, response, signIn.tooMuch)) void signIn.handle(request, response);
  });
}

/** What programs come for tokens by; their keys are fetched from where an operator said, and nowhere private else. */
function agentsPartsOf({ agents: config }: IdentityConfig, stores: Stores): AgentsParts {
  const { outbox, people, credentials, access } = stores;
  const isNamed = (url: URL): boolean => config.privateHosts.includes(url.host);
  const ca = config.caFile === undefined ? {} : { ca: readFileSync(config.caFile, 'utf8') };
  return {
    config,
    outbox,
    people,
    credentials,
    fetchKeys: guardedFetch({ ...FETCH, ...ca, isNamed }),
    onFailure: ({ code, detail, address }) =>
      access.refused.note({
        kind: 'authentication',
        by: { principal: null, token: null, address },
        arguments: { method: 'POST', route: ROUTES.token },
        refusal: { code, detail, isForbidden: true },
      }),
  };
}

/** The library warns on loading that this version of Node is not one of its own; each of ours is tested with it. */
async function loadProvider(): Promise<typeof createProvider> {
  const { warn } = console;
  console.warn = () => {};
  try {
    return (await import('./provider.js')).createProvider;
  } finally {
    console.warn = warn;
  }
}

function signInOf(
  config: IdentityConfig,
  host: Host,
  stores: Stores,
  { provider, servers }: { provider: ReturnType<typeof createProvider>; servers: VirtualServers },
): SignIn {
  const { authorization, signIn } = config;
  const { store, sealing, people, passwords, access, outbox } = stores;
  const { origin } = host.door.publicUrl();
  const clientAddress: SignInParts['address'] = (request) => host.door.clientAddress(request);
  const limits = new SignInLimits(signIn, () => host.clock.monotonicMs());
  const forms = new BrowserForms(sealing.formKey(), origin.startsWith('https:'));
  const isFirst = (id: string): Promise<boolean> => people.isFirst(id);
  const wallMs = (): number => host.clock.wallMs();
  const providers = companyProviders(signIn.providers, { origin, wallMs, isFirst });
  const onFailure: SignInParts['onFailure'] = ({ code, detail, address, method = 'POST' }) =>
    access.refused.note({
      kind: 'authentication',
      by: { principal: null, token: null, address },
      arguments: { method, route: '/sign-in' },
      refusal: { code, detail, isForbidden: code === 'WDR_SIGN_IN_FAILED' || code === 'WDR_SIGN_IN_REFUSED' },
    });
  const onBug = (error: unknown): void => host.log.error({ err: storeErrorOf(error) }, 'a page of signing in failed');
  const attempts = new AttemptsStore(store, sealing);
  const isAwaited = async (uid: string): Promise<boolean> => (await provider.Interaction.find(uid)) !== undefined;
  const atCompany = { providers, attempts, people, forms, isAwaited, wallMs, address: clientAddress, onFailure, onBug };
  return new SignIn({
    provider,
    origin,
    forms,
    newPassword: new NewPassword(passwords, forms, stores.sessions, people, clientAddress),
    servers,
    attempts,
    interactions: new InteractionsStore(store),
    sessions: stores.sessions,
    people,
    passwords,
    company: new CompanySignIn(atCompany),
    backchannel: new BackchannelLogout(providers, people, clientAddress, onFailure),
    singleLogout: new SingleLogout(providers, people, clientAddress, limits, onFailure),
    hasLocal: signIn.local ?? signIn.providers.length === 0,
    clientBy: (id) => registeredBy(id, authorization),
    address: clientAddress,
    limits,
    wallMs: () => host.clock.wallMs(),
    onConsent: async ({ principal, clientId, resource, address }) => {
      const { id, version, status, kind, name, email, groups, roles } = principal;
      const by = { principal: { id, version, status, kind, name, email, groups, roles }, token: null, address };
      const to = resource.kind === 'admin' ? { admin: true } : { virtualServer: resource.name };
      await store.change((manager) =>
        outbox.recordAdminAction(manager, { action: 'consent.grant', by, arguments: { clientId, ...to } }),
      );
    },
    onFailure,
    onBug,
  });
}
