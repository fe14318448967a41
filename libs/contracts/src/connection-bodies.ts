import { z } from 'zod';
import { Name } from './policy-names.js';

/** Connections to an account at a provider: a person's own, one that is shared, or one of the gateway's own client. */
export const ConnectionKind = z.enum(['oauth_user', 'oauth_shared', 'client_credentials']);
export type ConnectionKind = z.infer<typeof ConnectionKind>;

/** How calls of an upstream may be authenticated. The caller's own token is never sent upwards, so there is no kind for it. */
export const UpstreamAuthKind = z.enum(['none', 'static', ...ConnectionKind.options]);
export type UpstreamAuthKind = z.infer<typeof UpstreamAuthKind>;

/** Scopes of one provider at most. */
const SCOPES_MAX = 100;
/** RFC 6749 section 3.3. */
const Scope = z
  .string()
  .max(200)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'not a scope');
const PlainText = z.string().regex(/^[\x20-\x7e]*$/, 'printable ASCII only');

/** Body of `PUT /admin/credentials/providers/<id>`: our client at a provider of the catalogue. */
export const PutProvider = z.strictObject({
  /** Which entry of the catalogue it is. */
  entry: Name,
  clientId: PlainText.min(1).max(400),
  /** Stored as a secret and never answered again; left out, the one that is stored stays. */
  clientSecret: PlainText.min(1).max(8_192).optional(),
  /**
   * How our client proves itself, where it is to be another way than the entry's best one that fits: `private_key_jwt` needs
   * no secret, but that the provider reads our keys at `<publicUrl>/connections/jwks.json`.
   */
  authentication: z.enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none']).optional(),
  /** Of `private_key_jwt`. */
  assertion: z
    .strictObject({
      algorithm: z.enum(['RS256', 'ES256']).default('RS256'),
      /** Whom the assertion is for; the token endpoint where it is left out, an issuer where the provider wants that. */
      audience: PlainText.min(1).max(500).optional(),
    })
    .optional(),
  /** What is asked for; the entry's own where it is left out. */
  scopes: z.array(Scope).max(SCOPES_MAX).optional(),
  /** What the entry asks an operator for, such as the host of an own installation. */
  parameters: z.record(z.string().regex(/^\w{1,64}$/), PlainText.min(1).max(400)).default({}),
});
export type PutProvider = z.infer<typeof PutProvider>;

/** Body of `POST /admin/credentials/client-keys/turn`. */
export const TurnClientKeys = z.strictObject({
  /** The keys of before are not told of any more, for somebody else may know them. */
  isAtOnce: z.boolean().default(false),
});
export type TurnClientKeys = z.infer<typeof TurnClientKeys>;

/** Body of `PUT /admin/credentials/upstreams/<upstream>`. */
export const PutUpstreamAuth = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['none', 'static']) }),
  z.strictObject({ kind: ConnectionKind, provider: Name }),
]);
export type PutUpstreamAuth = z.infer<typeof PutUpstreamAuth>;

/** Body of `POST /admin/credentials/connections`: connects our own client at a provider, with nobody's consent. */
export const ConnectClient = z.strictObject({ kind: z.literal('client_credentials'), provider: Name });
export type ConnectClient = z.infer<typeof ConnectClient>;

/** Body of `POST /admin/credentials/connections/<id>/hand-over`. */
export const HandOverConnection = z.strictObject({
  /** Who answers for the shared connection from then on. */
  principalId: z.string().min(1).max(200),
});
export type HandOverConnection = z.infer<typeof HandOverConnection>;
