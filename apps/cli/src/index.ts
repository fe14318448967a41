export { auditVerify, ExitCode, type Output } from './audit-verify.js';
