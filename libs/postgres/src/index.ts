export { CreateAdminTree1790000000100 } from './admin-tree-tables.js';
export type { AdminAction, AdminActor } from './admin-record.js';
export { copyIn } from './copy-in.js';
export { DatabaseModule, databaseModule, type DatabaseOptions } from './database.module.js';
export { type EmbeddedPostgres, type EmbeddedPostgresOptions, startEmbeddedPostgres } from './embedded-postgres.js';
export { CreateOutbox1790000000000 } from './outbox-tables.js';
export { Outbox, type OutboxHost, type OutboxOptions } from './outbox.js';
export { recordIdOf } from './record-id.js';
export {
  isStoreUnavailable,
  isUniqueViolation,
  storeAnswerOf,
  StoreError,
  storeErrorOf,
  withStore,
} from './store-error.js';
