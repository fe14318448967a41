import { z } from 'zod';
import { PolicyDocument } from '../policy-document.js';
import { StateVersion } from '../state.js';
import type { Topic } from '../topic.js';

/** The one key of the topic: a policy is swapped whole. */
export const POLICY_SNAPSHOT_KEY = 'current';
/** What this build understands; a snapshot with a higher `minReader` is kept out and the node goes unready. */
export const POLICY_READER = 1;

/** Read strictly: a node that does not understand a policy keeps the last one that it does. */
export const PolicySnapshot = z.strictObject({
  version: StateVersion,
  status: z.literal('active'),
  minReader: z.int().min(1),
  publishedAtMs: z.number(),
  document: PolicyDocument,
});
export type PolicySnapshot = z.infer<typeof PolicySnapshot>;

export const policySnapshotTopic: Topic<PolicySnapshot> = {
  name: 'warder.policy.snapshot.v1',
  key: POLICY_SNAPSHOT_KEY,
  schema: PolicySnapshot,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 8_388_608,
  writers: ['policy'],
  readers: ['ingress', 'policy', 'identity', 'credentials'],
  example: {
    version: 7,
    status: 'active',
    minReader: 1,
    publishedAtMs: 1_790_000_000_000,
    document: {
      upstreams: {
        everything: {
          transport: { kind: 'streamable-http', url: 'https://everything.example.com/mcp' },
          timeoutMs: 60_000,
          allowPrivateAddress: false,
          definitions: 'hide-changes',
        },
      },
      virtualServers: {
        dev: {
          description: '',
          tools: [{ upstream: 'everything', tool: '*' }],
          guardrails: {
            request: { secret: 'redact', pii: 'redact', injection: 'flag', hidden: 'flag' },
            response: { secret: 'redact', pii: 'redact', injection: 'flag', hidden: 'flag' },
          },
          record: { mode: 'async', capture: 'full', tools: { 'everything/get-env': { capture: 'metadata' } } },
        },
      },
      grants: [{ name: 'developers', effect: 'permit', to: { group: 'developers' }, tools: ['everything/*'] }],
      limit: { callsPerMinute: 600, burst: 120 },
    },
  },
};
