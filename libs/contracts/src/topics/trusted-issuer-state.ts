import { z } from 'zod';
import { StateVersion } from '../state.js';
import { type Topic } from '../topic.js';

/** Algorithms of the company's keys that are taken; each key is used with the one that it says (RFC 8725 section 3.1). */
export const TRUSTED_ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'] as const;

/** A public key of the company's authorization server (RFC 7517). */
export const TrustedKey = z.object({
  id: z.string(),
  algorithm: z.enum(TRUSTED_ALGORITHMS),
  jwk: z.union([
    z.object({ kty: z.literal('RSA'), n: z.string(), e: z.string() }),
    z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
    z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string() }),
  ]),
});
export type TrustedKey = z.infer<typeof TrustedKey>;

/** The company's own authorization server, whose access tokens are taken: what they must be, and its keys of now. */
export const TrustedIssuerState = z.object({
  version: StateVersion,
  /** `retired`: none of its tokens is taken any more. */
  status: z.enum(['active', 'retired']),
  issuer: z.string(),
  /** What `typ` of a token may say, in lower case; the empty text stands for none. */
  types: z.array(z.string()),
  /** What `aud` must name, by virtual server, where it is not the server's URL. */
  audiences: z.record(z.string(), z.string()),
  /** What `scope` of a token must name; null: nothing. */
  scope: z.string().nullable(),
  /** Whose subjects its subjects are: a sign-in provider's id, or `scim` for the external ids of SCIM. */
  subjectsOf: z.string(),
  keys: z.array(TrustedKey),
});
export type TrustedIssuerState = z.infer<typeof TrustedIssuerState>;

/** The one key of the topic: one authorization server is trusted at a time. */
export const TRUSTED_ISSUER_KEY = 'current';

export const trustedIssuerStateTopic: Topic<TrustedIssuerState> = {
  name: 'warder.trusted-issuer.state.v1',
  key: '`current`',
  schema: TrustedIssuerState,
  cleanup: 'compact',
  partitions: 1,
  retentionMs: null,
  messageBytesMax: 262_144,
  writers: ['identity'],
  readers: ['ingress'],
  example: {
    version: 4,
    status: 'active',
    issuer: 'https://login.example.com',
    types: ['at+jwt'],
    audiences: { dev: 'api://warder-dev' },
    scope: 'mcp',
    subjectsOf: 'corp',
    keys: [
      {
        id: '2026-11',
        algorithm: 'EdDSA',
        jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
      },
    ],
  },
};
