export { createKeyring, type Keyring, readKeyring } from './keyring.js';
export { createKeyringStore, type KeyringStoreOptions } from './keyring-store.js';
export { type MoveOptions, type MoveProgress, moveNamed, moveSealed, removeMoved } from './move-secrets.js';
export { openSecretStore } from './open-secret-store.js';
export {
  rewrapAll,
  type RewrapAllOptions,
  type RewrapProgress,
  type SealedRow,
  type SealedRows,
} from './rewrap-all.js';
export { type Query, sealedColumns, sealedComment, sealedRowsOf, type SealedColumn } from './sealed-columns.js';
export {
  type NamedSecrets,
  type SealContext,
  type SealedValues,
  SECRET_BYTES_MAX,
  SecretError,
  type SecretErrorReason,
  type SecretStore,
  type StoreHealth,
  type StoreState,
  type VersionedSecret,
} from './secret-store.js';
export { SecretsSettings } from './secrets-settings.js';
export { decodeStaticSecret, encodeStaticSecret, type StaticSecret, staticConnectionId } from './static-secret.js';
export { VaultSettings } from './vault/vault-settings.js';
