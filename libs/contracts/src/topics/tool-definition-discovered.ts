import { z } from 'zod';
import { StateVersion } from '../state.js';
import type { Topic } from '../topic.js';

/** A tool as its upstream describes it. Fields beyond the named ones are kept as they came. */
export const ToolDefinition = z.looseObject({
  name: z.string(),
  description: z.string().optional(),
  inputSchema: z.looseObject({}),
});
export type ToolDefinition = z.infer<typeof ToolDefinition>;

/** Whether a tool can be known by its name everywhere: whole characters, and none that Postgres cannot hold. */
export function isNameable(name: string): boolean {
  return !/[\p{Cs}\0]/u.test(name);
}

/** All tools of one upstream as last listed; the same hash is not published twice. `version` is the listing time, ms. */
export const UpstreamCatalogue = z.object({
  version: StateVersion,
  status: z.enum(['active', 'removed']),
  upstream: z.string(),
  /** SHA-256 over the canonical definitions, hex. */
  hash: z.string(),
  node: z.string(),
  tools: z.array(z.object({ hash: z.string(), definition: ToolDefinition })),
});
export type UpstreamCatalogue = z.infer<typeof UpstreamCatalogue>;

export const toolDefinitionDiscoveredTopic: Topic<UpstreamCatalogue> = {
  name: 'warder.tool-definition.discovered.v1',
  key: 'upstream',
  schema: UpstreamCatalogue,
  cleanup: 'compact',
  isVersionedByClock: true,
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 8_388_608,
  writers: ['ingress'],
  readers: ['ingress', 'policy', 'guardrails', 'identity'],
  example: {
    version: 1_790_000_000_000,
    status: 'active',
    upstream: 'everything',
    hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
    node: 'ingress-1',
    tools: [
      {
        hash: '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752',
        definition: { name: 'echo', description: 'Echoes back the input', inputSchema: { type: 'object' } },
      },
    ],
  },
};
