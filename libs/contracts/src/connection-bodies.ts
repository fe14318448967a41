import { z } from 'zod';
import { CredentialHeaderName } from './credential-bodies.js';
import { Name } from './policy-names.js';

/** Credentials that somebody keeps here as they are: a person their own, an administrator those that everybody shares. */
export const KeptKind = z.enum([
  'static_header_user',
  'static_header_shared',
  'basic_user',
  'basic_shared',
  'mtls_user',
  'mtls_shared',
  'aws_sigv4_user',
  'aws_sigv4_shared',
]);
export type KeptKind = z.infer<typeof KeptKind>;

/**
 * Connections to an account: a person's own or a shared one, of consent or kept, one of the gateway's own client, or one whose
 * tokens are had for a person's token of another connection (RFC 8693, and Microsoft's on-behalf-of).
 */
export const ConnectionKind = z.enum([
  'oauth_user',
  'oauth_shared',
  'client_credentials',
  'token_exchange',
  ...KeptKind.options,
]);
export type ConnectionKind = z.infer<typeof ConnectionKind>;

const OF_PERSONS: ReadonlySet<string> = new Set<ConnectionKind>([
  'oauth_user',
  'token_exchange',
  'static_header_user',
  'basic_user',
  'mtls_user',
  'aws_sigv4_user',
]);

/** Whether each person has a connection of their own: then it serves the calls of that person alone. */
export function isOfPerson(kind: string): boolean {
  return OF_PERSONS.has(kind);
}

export function isKept(kind: string): kind is KeptKind {
  return KeptKind.safeParse(kind).success;
}

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
  /** Its tokens are had for those that people have at another provider, and nobody consents here. */
  exchange: z
    .strictObject({
      /** The provider of the company's at which people connect; their token there is the subject (RFC 8693 section 2.1). */
      from: Name,
      /** For whom the token is to be, where the provider wants it said in another way than by scopes. */
      audience: PlainText.min(1).max(500).optional(),
      resource: z.url().max(500).optional(),
    })
    .optional(),
});
export type PutProvider = z.infer<typeof PutProvider>;

/** Body of `PUT /admin/credentials/providers/<id>` for an MCP server that says itself how it is logged in to. */
export const PutDiscoveredProvider = z.strictObject({
  entry: z.literal('discovered'),
  /** Of the policy in force, which says its URL. */
  upstream: Name,
  /** The authorization server that it has to name; what it names itself where it is left out, at a public address only. */
  issuer: z
    .url({ protocol: /^https?$/ })
    .max(400)
    .optional(),
  /** How our client comes about, anew; as the server takes it best where it is left out, and as it is while the server stays. */
  client: z.enum(['document', 'dynamic']).optional(),
  /** What is asked for; what the upstream asks for where it is left out. */
  scopes: z.array(Scope).max(SCOPES_MAX).optional(),
});
export type PutDiscoveredProvider = z.infer<typeof PutDiscoveredProvider>;

const Title = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\p{C}]+$/u, 'no control character');
const FIELDS_MAX = 5;
/** A region or a service, as a signature names it. */
const AwsName = z
  .string()
  .max(64)
  .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'lower case, digits and hyphens');
/** `{name}` is what whoever keeps the credential fills in. */
const HeaderTemplate = PlainText.min(1)
  .max(400)
  .regex(/\{[a-z][a-z0-9_]{0,39}\}/, 'names no {field}');

/**
 * Body of `PUT /admin/credentials/providers/<id>` for a provider without OAuth: what people are asked for, and how calls
 * carry it.
 */
export const PutCredentialForm = z.discriminatedUnion('entry', [
  z.strictObject({
    entry: z.literal('static-header'),
    title: Title,
    headers: z
      .record(CredentialHeaderName, HeaderTemplate)
      .refine((headers) => Object.keys(headers).length > 0, 'names no header')
      .refine(
        (headers) => Object.values(headers).join().split('{').length - 1 <= FIELDS_MAX,
        `more than ${FIELDS_MAX} fields`,
      ),
  }),
  z.strictObject({ entry: z.literal('basic'), title: Title }),
  z.strictObject({ entry: z.literal('mtls'), title: Title }),
  z.strictObject({ entry: z.literal('aws-sigv4'), title: Title, region: AwsName, service: AwsName }),
]);
export type PutCredentialForm = z.infer<typeof PutCredentialForm>;

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

/** What somebody fills in; never answered again. */
export const KeptFields = z.record(z.string().regex(/^[a-z][a-z0-9_]{0,39}$/), z.string().min(1).max(16_384));
export type KeptFields = z.infer<typeof KeptFields>;

/**
 * Body of `POST /admin/credentials/connections`: connects our own client at a provider, with nobody's consent, or keeps a
 * credential that everybody shares.
 */
export const ConnectShared = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('client_credentials'), provider: Name }),
  z.strictObject({
    kind: z.enum(['static_header_shared', 'basic_shared', 'mtls_shared', 'aws_sigv4_shared']),
    provider: Name,
    fields: KeptFields,
  }),
]);
export type ConnectShared = z.infer<typeof ConnectShared>;

/** Body of `POST /admin/credentials/connections/<id>/hand-over`. */
export const HandOverConnection = z.strictObject({
  /** Who answers for the shared connection from then on. */
  principalId: z.string().min(1).max(200),
});
export type HandOverConnection = z.infer<typeof HandOverConnection>;
