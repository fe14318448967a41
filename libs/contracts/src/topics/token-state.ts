import { z } from 'zod';
import { StateVersion } from '../state.js';
import { EVERY_SERVICE, type Topic } from '../topic.js';

/**
 * What a personal access token may be used for beyond its owner's rights: nothing. Each member cuts; `null`, or none at
 * all, as in tokens of before there was the member, cuts nothing, and an empty list leaves nothing.
 */
export const TokenScopes = z.object({
  /** Canonical `upstream/tool` patterns. */
  tools: z.array(z.string()).nullable(),
  /** Names of virtual servers. */
  virtualServers: z.array(z.string()).nullable().optional(),
  /** Only tools whose definition says `readOnlyHint: true`: one that says nothing is not read-only. */
  readOnly: z.boolean().optional(),
  /** Addresses and networks (CIDR), IPv4 and IPv6, from which alone the token is accepted. */
  addresses: z.array(z.string()).nullable().optional(),
});
export type TokenScopes = z.infer<typeof TokenScopes>;

/** A personal access token as every node knows it: by its digest, never by its text. */
export const TokenState = z.object({
  version: StateVersion,
  status: z.enum(['active', 'revoked']),
  id: z.string(),
  name: z.string(),
  principalId: z.string(),
  /** Which pepper made the digest that is this message's key. */
  pepperKeyId: z.string(),
  createdAtMs: z.number(),
  expiresAtMs: z.number(),
  scopes: TokenScopes,
  /** Which secret of the token the digest is of: a rotated one has two for a time. Absent: the first. */
  generation: z.int().min(1).optional(),
});
export type TokenState = z.infer<typeof TokenState>;

export const tokenStateTopic: Topic<TokenState> = {
  name: 'warder.token.state.v1',
  key: 'token digest, base64url',
  schema: TokenState,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 1_048_576,
  writers: ['identity'],
  readers: EVERY_SERVICE,
  example: {
    version: 1,
    status: 'active',
    id: 'pat_01jd3x9q',
    name: 'laptop',
    principalId: 'usr_01jd3x7k',
    pepperKeyId: 'p1',
    createdAtMs: 1_790_000_000_000,
    expiresAtMs: 1_797_776_000_000,
    scopes: { tools: null },
  },
};
