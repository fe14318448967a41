import { z } from 'zod';
import { StateVersion } from '../state.js';
import { EVERY_SERVICE, type Topic } from '../topic.js';

/**
 * What a principal allowed an OAuth client. An access token carries proof of its grant, so only the end of a grant has
 * to be known: `active` is told of none, and a grant that nobody heard of is not a reason to refuse.
 */
export const GrantState = z.object({
  version: StateVersion,
  status: z.enum(['active', 'revoked']),
  id: z.string(),
  principalId: z.string(),
  /** When the last access token of the grant expires at the latest, wall milliseconds: then the end may be forgotten. */
  expiresAtMs: z.number(),
});
export type GrantState = z.infer<typeof GrantState>;

export const grantStateTopic: Topic<GrantState> = {
  name: 'warder.grant.state.v1',
  key: 'grant id',
  schema: GrantState,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 65_536,
  writers: ['identity'],
  readers: EVERY_SERVICE,
  example: {
    version: 1,
    status: 'revoked',
    id: 'Yp4uDgLmW1d0bC7lRVQ3xkbKpAoVhYd5m0e2QyRZc9s',
    principalId: 'usr_01jd3x7k',
    expiresAtMs: 1_790_003_600_000,
  },
};
