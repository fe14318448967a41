import { z } from 'zod';
import { EVERY_SERVICE, type Topic } from '../topic.js';

/** Uses that one message tells of at most. */
export const TOKEN_USES_MAX = 1_000;

export const TokenUse = z.object({ tokenId: z.string(), atMs: z.number() });
export type TokenUse = z.infer<typeof TokenUse>;

/**
 * Which tokens were used at a node of late: of each one use in a minute, so that nothing is written for a call. It says
 * neither by whom nor from where: that stands in the record.
 */
export const TokenUsed = z.object({
  node: z.string(),
  uses: z.array(TokenUse),
});
export type TokenUsed = z.infer<typeof TokenUsed>;

export const tokenUsedTopic: Topic<TokenUsed> = {
  name: 'warder.token.used.v1',
  key: 'node',
  schema: TokenUsed,
  cleanup: 'delete',
  partitions: 1,
  retentionMs: 86_400_000,
  messageBytesMax: 1_048_576,
  writers: EVERY_SERVICE,
  readers: ['identity'],
  example: { node: 'ingress-1', uses: [{ tokenId: 'pat_01jd3x9q', atMs: 1_790_000_000_000 }] },
};
