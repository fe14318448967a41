export { createKeyring, type Keyring, readKeyring } from './keyring.js';
export { createKeyringStore, type KeyringStoreOptions } from './keyring-store.js';
export {
  rewrapAll,
  type RewrapAllOptions,
  type RewrapProgress,
  type SealedRow,
  type SealedRows,
} from './rewrap-all.js';
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
export { decodeStaticSecret, encodeStaticSecret, type StaticSecret, staticConnectionId } from './static-secret.js';
