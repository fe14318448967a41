import type { Service } from '@warder/service-host';
import { GuardrailsConfig } from './guardrails-config.js';
import { guardrailsModule } from './guardrails.module.js';

export { GuardrailsConfig } from './guardrails-config.js';

/** Rule packs and their publication; the engine itself is a lib that every ingress node runs. */
export const guardrailsService: Service<GuardrailsConfig> = {
  name: 'guardrails',
  config: GuardrailsConfig,
  module: guardrailsModule,
};
