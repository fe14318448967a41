import type { GuardrailProvider } from '@warder/contracts';
import { z } from 'zod';
import { parsed } from './parsed.js';
import { AnswerMalformed, type ProviderKind } from './provider-kind.js';

const Analysis = z.object({ attackDetected: z.boolean() });
const Shielded = z.object({
  userPromptAnalysis: Analysis.nullable().optional(),
  documentsAnalysis: z.array(Analysis).nullable().optional(),
});

/**
 * Arguments are asked about as a user's prompt, answers as a document.
 * @see Azure AI Content Safety REST API 2024-09-01, Text Operations - Shield Prompt; 10,000 characters a prompt or all documents
 */
export function azurePromptShields(
  settings: Extract<GuardrailProvider, { kind: 'azure-prompt-shields' }>,
): ProviderKind {
  const base = new URL(settings.url);
  return {
    origin: base,
    charsMax: 10_000,
    needsSecret: true,
    request: ({ text, direction }, secret) => ({
      path: `${base.pathname.replace(/\/$/, '')}/contentsafety/text:shieldPrompt?api-version=2024-09-01`,
      headers: { 'content-type': 'application/json', 'ocp-apim-subscription-key': secret },
      body: JSON.stringify(direction === 'request' ? { userPrompt: text } : { documents: [text] }),
    }),
    read: (answer, { direction }) => {
      const { userPromptAnalysis, documentsAnalysis } = parsed(Shielded, answer);
      const analysis = direction === 'request' ? userPromptAnalysis : documentsAnalysis?.[0];
      if (analysis === undefined || analysis === null)
        throw new AnswerMalformed('what was asked about has no analysis');
      if (!analysis.attackDetected) return [];
      return [{ kind: 'injection', category: direction === 'request' ? 'user_prompt_attack' : 'document_attack' }];
    },
  };
}
