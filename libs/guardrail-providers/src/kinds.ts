import type { GuardrailProvider } from '@warder/contracts';
import { azurePromptShields } from './azure-prompt-shields.js';
import { bedrock } from './bedrock.js';
import { lakera } from './lakera.js';
import { llamaGuard } from './llama-guard.js';
import { modelArmor } from './model-armor.js';
import { openAiJudge } from './openai-judge.js';
import { presidio } from './presidio.js';
import type { ProviderKind } from './provider-kind.js';
import { webhook } from './webhook.js';

/** How a provider of these settings is asked. */
export function kindOf(settings: GuardrailProvider): ProviderKind {
  switch (settings.kind) {
    case 'webhook':
      return webhook(settings);
    case 'presidio':
      return presidio(settings);
    case 'openai-judge':
      return openAiJudge(settings);
    case 'llama-guard':
      return llamaGuard(settings);
    case 'bedrock':
      return bedrock(settings);
    case 'azure-prompt-shields':
      return azurePromptShields(settings);
    case 'model-armor':
      return modelArmor(settings);
    case 'lakera':
      return lakera(settings);
  }
}
