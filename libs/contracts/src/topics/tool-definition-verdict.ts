import { z } from 'zod';
import { StateVersion } from '../state.js';
import type { Topic } from '../topic.js';

/** SHA-256 of a canonical definition, hex. */
export const DefinitionHash = z.string().regex(/^[0-9a-f]{64}$/);

/** Definitions of one tool that a verdict can name. */
export const VERDICT_HASHES_MAX = 16;

/** What is known of one tool of an upstream, by hashes of its definitions. */
export const ToolVerdict = z.object({
  tool: z.string(),
  /** What it looked like when it was seen for the first time; nobody said that this is right. */
  firstSeen: DefinitionHash,
  /** What an administrator accepted. More than one where an upstream's versions or accounts differ. */
  accepted: z.array(DefinitionHash).max(VERDICT_HASHES_MAX),
  /** What an administrator refused: never shown, whatever the policy says. */
  rejected: z.array(DefinitionHash).max(VERDICT_HASHES_MAX),
});
export type ToolVerdict = z.infer<typeof ToolVerdict>;

/** What guardrails knows of the definitions of an upstream. A tool that is not named has never been looked at. */
export const DefinitionVerdicts = z.object({
  version: StateVersion,
  status: z.enum(['active', 'removed']),
  upstream: z.string(),
  tools: z.array(ToolVerdict),
  /** It has listed more tools than are remembered: how one that is not named was first seen nobody knows. */
  isFull: z.boolean().optional(),
});
export type DefinitionVerdicts = z.infer<typeof DefinitionVerdicts>;

export const toolDefinitionVerdictTopic: Topic<DefinitionVerdicts> = {
  name: 'warder.tool-definition.verdict.v1',
  key: 'upstream',
  schema: DefinitionVerdicts,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 8_388_608,
  writers: ['guardrails'],
  readers: ['ingress', 'policy', 'guardrails', 'identity'],
  example: {
    version: 2,
    status: 'active',
    upstream: 'everything',
    tools: [
      {
        tool: 'echo',
        firstSeen: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
        accepted: ['60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752'],
        rejected: [],
      },
    ],
  },
};
