import type { Service } from '@warder/service-host';
import { CredentialsConfig } from './credentials-config.js';
import { credentialsModule } from './credentials.module.js';

export { ConnectionsConfig } from './connections/connections-config.js';
export { CredentialsConfig } from './credentials-config.js';

/** Static credentials of upstreams: who has one, in which header or variable; the secret sealed and never answered. */
export const credentialsService: Service<CredentialsConfig> = {
  name: 'credentials',
  config: CredentialsConfig,
  module: credentialsModule,
};
