export { AdminAccess } from './admin-access.js';
export { AdminAccessModule, adminAccessModule } from './admin-access.module.js';
export { AdminGuard } from './admin-guard.js';
export { type AdminActor, AdminCaller, BehindSideDoor, Roles } from './roles.js';
export { markOnRecord } from './on-record.js';
export { keptDetail } from './refusal-detail.js';
export type { KeepRefused, RefusedRequest } from './refused-requests.js';
