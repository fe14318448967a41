import { createKeyringStore } from './keyring-store.js';
import { SecretError, type SecretStore } from './secret-store.js';
import type { SecretsSettings } from './secrets-settings.js';

/**
 * Opens the configured store, or the other one that is configured beside it. A vault is not asked before the first use:
 * a service starts while it is sealed.
 * @throws SecretError `keyring` when the keyring is missing, readable by others, or guessable
 */
export async function openSecretStore(settings: SecretsSettings, kind = settings.store): Promise<SecretStore> {
  const { dir, keyringFile, create, vault } = settings;
  if (kind === 'vault') {
    if (!vault) throw new SecretError('refused', 'no vault is configured');
    // A process that uses none does not load its client.
    const { createVaultStore } = await import('./vault/vault-store.js');
    return createVaultStore(vault);
  }
  if (dir === undefined || keyringFile === undefined)
    throw new SecretError('keyring', 'no directory and keyring are configured');
  return createKeyringStore({ dir, keyringFile, create });
}
