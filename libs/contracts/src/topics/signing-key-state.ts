import { z } from 'zod';
import { StateVersion } from '../state.js';
import { EVERY_SERVICE, type Topic } from '../topic.js';

/** A key by which access tokens, and passes of a browser to pages of another service, are verified. One that is `retired` verifies nothing any more. */
export const SigningKeyState = z.object({
  version: StateVersion,
  status: z.enum(['active', 'retired']),
  /** The `kid` of tokens signed with it; this message's key. */
  id: z.string(),
  /** The one algorithm for which it is used (RFC 8725 section 3.1). */
  algorithm: z.literal('ES256'),
  /** The public half (RFC 7517). */
  jwk: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
});
export type SigningKeyState = z.infer<typeof SigningKeyState>;

export const signingKeyStateTopic: Topic<SigningKeyState> = {
  name: 'warder.signing-key.state.v1',
  key: 'key id (kid)',
  schema: SigningKeyState,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 65_536,
  writers: ['identity'],
  readers: EVERY_SERVICE,
  example: {
    version: 1,
    status: 'active',
    id: 'b3mB8JxgcH8',
    algorithm: 'ES256',
    jwk: {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
    },
  },
};
