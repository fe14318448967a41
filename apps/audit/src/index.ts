import type { Service } from '@warder/service-host';
import { AuditConfig } from './audit-config.js';
import { auditModule } from './audit.module.js';

export { AuditConfig } from './audit-config.js';
export { ExportersSettings } from './exporters/exporters-settings.js';

/** Stores what every node recorded and answers who did what, when, with which arguments and what came back. */
export const auditService: Service<AuditConfig> = { name: 'audit', config: AuditConfig, module: auditModule };
