export { auditVerify, ExitCode, type Output } from './audit-verify.js';
export { MigrateExit, secretsMigrate } from './secrets-migrate.js';
