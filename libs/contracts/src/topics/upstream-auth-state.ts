import { z } from 'zod';
import { UpstreamAuthKind } from '../connection-bodies.js';
import { StateVersion } from '../state.js';
import type { Topic } from '../topic.js';

/**
 * How calls of an upstream are authenticated there. An upstream of which nothing is said has its static credential,
 * where one is stored, and none else.
 */
export const UpstreamAuthState = z.object({
  version: StateVersion,
  status: z.enum(['active', 'removed']),
  upstream: z.string(),
  kind: UpstreamAuthKind,
  /** The provider whose connections it takes; null for kinds that have none. */
  provider: z.string().nullable(),
});
export type UpstreamAuthState = z.infer<typeof UpstreamAuthState>;

export const upstreamAuthStateTopic: Topic<UpstreamAuthState> = {
  name: 'warder.upstream-auth.state.v1',
  key: 'upstream',
  schema: UpstreamAuthState,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 65_536,
  writers: ['credentials'],
  readers: ['ingress', 'credentials'],
  example: { version: 1, status: 'active', upstream: 'issues', kind: 'oauth_user', provider: 'github' },
};
