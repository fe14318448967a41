export { createKeyring, type Keyring, readKeyring } from './keyring.js';
export { createKeyringStore, type KeyringStoreOptions, SECRET_BYTES_MAX } from './keyring-store.js';
export { SecretError, type SecretStore } from './secret-store.js';
export {
  createStaticLeases,
  type EnvironmentLease,
  type HeaderLease,
  type LeaseTransport,
  type StaticLeases,
  type StaticLeasesOptions,
} from './static-leases.js';
export { decodeStaticSecret, encodeStaticSecret, type StaticSecret, staticConnectionId } from './static-secret.js';
