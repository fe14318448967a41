import type { Service } from '@warder/service-host';
import { PolicyConfig } from './policy-config.js';
import { policyModule } from './policy.module.js';

export { PolicyConfig } from './policy-config.js';

/** Upstream registry, virtual servers and grants: one document, published whole, and why it decides as it does. */
export const policyService: Service<PolicyConfig> = { name: 'policy', config: PolicyConfig, module: policyModule };
