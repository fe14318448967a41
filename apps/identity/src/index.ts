import type { Service } from '@warder/service-host';
import { IdentityConfig } from './identity-config.js';
import { identityModule } from './identity.module.js';

export { IdentityConfig } from './identity-config.js';

/** People, services, their groups and roles, and their personal access tokens. */
export const identityService: Service<IdentityConfig> = {
  name: 'identity',
  config: IdentityConfig,
  module: identityModule,
};
