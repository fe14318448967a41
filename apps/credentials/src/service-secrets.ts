import {
  type NamedSecrets,
  openSecretStore,
  type SealedValues,
  SecretError,
  type SecretsSettings,
  type SecretStore,
  type StoreHealth,
} from '@warder/secrets';
import { AdminError, ConfigError, type Host } from '@warder/service-host';

/** The one secret store of the service, for those that it is given to. */
export const SECRETS = Symbol('secret store of credentials');
/** Between two looks at a store that nobody asks anything. */
const LOOK_EVERY_MS = 5_000;
const STATES = ['ok', 'sealed', 'unreachable', 'refused'] as const;

/**
 * The store of this service: opened as configured, its state in `/readyz` and `/metrics`, and closed with the process.
 * A store that is away degrades the service: it lists and revokes on, and a restart would bring nothing back.
 * @throws ConfigError when the keyring is missing, readable by others, or guessable
 */
export async function openServiceSecrets(settings: SecretsSettings, host: Host): Promise<SecretStore> {
  const store = await opened(settings);
  let health: StoreHealth = { state: 'ok' };
  const gauge = host.metrics.gauge('warder_secret_store_state', '1 for the state that the store is in', [
    'store',
    'state',
  ]);
  const tell = (seen: StoreHealth) => {
    health = seen;
    for (const state of STATES) gauge.set({ store: store.kind, state }, state === seen.state ? 1 : 0);
  };
  tell(health);
  store.onStateChange((seen) => {
    tell(seen);
    if (seen.state === 'ok') host.log.info({ store: store.kind }, 'the secret store is back');
    else host.log.error({ store: store.kind, state: seen.state, detail: seen.detail }, 'the secret store is away');
  });
  host.readiness('secrets', () => health.state === 'ok' || { degraded: `${health.state}: ${health.detail ?? ''}` });
  const look = setInterval(() => void store.health().then(tell), LOOK_EVERY_MS).unref();
  host.onDrain('secrets', async () => {
    clearInterval(look);
    await store.close();
  });
  // Not waited for: the service starts while the store is away.
  void store.health().then(tell);
  return store;
}

/** What the admin door answers when the store failed: 503 with the reason, for nothing was changed. */
export function storeUnavailable(error: unknown): AdminError {
  const why = error instanceof SecretError && error.isUnavailable ? error.message : 'the secret store cannot be used';
  return new AdminError(503, 'WDR_SECRET_STORE_UNAVAILABLE', why);
}

/** The same store for what answers people: whatever fails in it is 503 with the reason. */
export function answering(store: SecretStore, tell: (error: unknown) => void): NamedSecrets & SealedValues {
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      tell(error);
      throw storeUnavailable(error);
    }
  };
  return {
    put: (name, value, expected) => guarded(store.put(name, value, expected)),
    read: (name) => guarded(store.read(name)),
    get: (name) => guarded(store.get(name)),
    remove: (name) => guarded(store.remove(name)),
    list: () => guarded(store.list()),
    seal: (plain, context) => guarded(store.seal(plain, context)),
    open: (sealed, context) => guarded(store.open(sealed, context)),
    rewrap: (sealed, context) => guarded(store.rewrap(sealed, context)),
  };
}

async function opened(settings: SecretsSettings): Promise<SecretStore> {
  try {
    return await openSecretStore(settings);
  } catch (error) {
    if (error instanceof SecretError) throw new ConfigError(`secrets: ${error.message}`);
    throw error;
  }
}
