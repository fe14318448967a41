import type { Service } from '@warder/service-host';
import { IngressConfig } from './ingress-config.js';
import { IngressModule } from './ingress.module.js';

export { IngressConfig } from './ingress-config.js';

/** The data plane: agents on one side, upstream MCP servers on the other, and nothing in between that is not decided. */
export const ingressService: Service<IngressConfig> = {
  name: 'ingress',
  config: IngressConfig,
  module: (config, host) => IngressModule.of(config, host),
};
