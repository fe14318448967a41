import {
  createKeyringStore,
  type NamedSecrets,
  type SealedValues,
  SecretError,
  type SecretStore,
} from '@warder/secrets';
import { AdminError, ConfigError } from '@warder/service-host';
import type { CredentialsConfig } from './credentials-config.js';

/**
 * Opens the configured store. A secret that could not be written or removed is answered 503, for nothing was changed
 * that the caller could rely on.
 * @throws ConfigError when the keyring is missing, readable by others, or guessable
 */
export function openSecretStore(
  config: CredentialsConfig['secrets'],
  tell: (error: unknown) => void,
): NamedSecrets & SealedValues {
  const store = openKeyring(config);
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      tell(error);
      throw new AdminError(503, 'WDR_SECRET_STORE_UNAVAILABLE', 'the secret store cannot be used');
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

function openKeyring(config: CredentialsConfig['secrets']): SecretStore {
  try {
    return createKeyringStore(config);
  } catch (error) {
    if (error instanceof SecretError) throw new ConfigError(`secrets: ${error.message}`);
    throw error;
  }
}
