import { z } from 'zod';
import { placeholdersOf } from './url-template.js';

const Name = z.string().regex(/^[a-z][a-z0-9_]{0,39}$/);
const Text = z.string().min(1).max(400);
const HeaderName = z.string().regex(/^[A-Za-z][A-Za-z0-9-]{0,99}$/);

/** https, with `{parameters}`; or one parameter that is the whole URL. */
const UrlTemplate = z
  .string()
  .max(500)
  .regex(/^(?:https:\/\/[^\s#@]+|\{[a-z][a-z0-9_]*\})$/)
  .describe('An https URL that may name parameters in braces, or one parameter that is the whole URL.');

/** RFC 6901; the empty pointer names the whole document, which is never what is meant here. */
const Pointer = z
  .string()
  .max(200)
  .regex(/^(?:\/[^/\s]*)+$/)
  .describe('A JSON Pointer (RFC 6901).');

/** Fields of a form or of a JSON object, by name. */
const Fields = z.record(z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,99}$/), z.string().max(500));
const Headers = z.record(HeaderName, z.string().min(1).max(500));

/** RFC 6749 section 2.3.1 and RFC 7523 section 2.2; `none` is a public client. */
export const ClientAuthenticationMethod = z.enum([
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'none',
]);
export type ClientAuthenticationMethod = z.infer<typeof ClientAuthenticationMethod>;

export const ProviderGrant = z.enum(['authorization_code', 'client_credentials', 'token_exchange', 'on_behalf_of']);
export type ProviderGrant = z.infer<typeof ProviderGrant>;

/** A value that whoever sets the provider up gives once: a region, a tenant, a host of their own. */
export const ProviderParameter = z.strictObject({
  title: Text,
  kind: z
    .enum(['label', 'host', 'url'])
    .describe('label: letters, digits, - and _; host: a host name, perhaps with a port; url: a whole URL.'),
  pattern: z.string().max(300).optional().describe('What the whole value must match, beside what its kind says.'),
  values: z.array(z.string().max(300)).min(1).optional().describe('The only values there are.'),
  isOptional: z
    .boolean()
    .default(false)
    .describe('Without it, what its URL is for is not there: consent, account, revocation.'),
  default: z.string().max(300).optional(),
  example: z.string().max(300),
});
export type ProviderParameter = z.infer<typeof ProviderParameter>;

const Authorization = z.strictObject({
  endpoint: UrlTemplate,
  pkce: z.enum(['S256', 'none']).describe('none: the provider documents no PKCE, so none is sent.'),
  parameters: Fields.default({}).describe('Sent beside those of RFC 6749 section 4.1.1.'),
  issuer: UrlTemplate.optional().describe('What `iss` of the answer must be, where it is there (RFC 9207).'),
  answersNameIssuer: z.boolean().default(false).describe('The provider says that every answer has an `iss`.'),
});

const Token = z.strictObject({
  endpoint: UrlTemplate,
  authentication: z.array(ClientAuthenticationMethod).min(1).describe('Methods that the provider takes, best first.'),
  body: z.enum(['form', 'json']),
  headers: Headers.default({}),
  parameters: z
    .partialRecord(z.enum([...ProviderGrant.options, 'refresh_token']), Fields)
    .default({})
    .describe('Sent beside those of RFC 6749, by grant.'),
});

const Scopes = z.strictObject({
  parameter: z.string().max(40).default('scope').describe('Name of the parameter of the authorization request.'),
  separator: z.enum([' ', ',']),
  required: z.array(z.string()).default([]).describe('Always asked for: what is wanted does not work without.'),
  default: z.array(z.string()).default([]).describe('Asked for unless whoever sets the provider up names others.'),
});

const Refresh = z.strictObject({
  rotation: z
    .enum(['no-refresh-token', 'none', 'rotates', 'rotates-and-kills-access'])
    .describe('What one use of a refresh token does to it, and to the access token of before.'),
  reuseToleranceSeconds: z
    .int()
    .min(0)
    .default(0)
    .describe('For so long the provider takes a used refresh token again; 0: it does not, or does not say.'),
  sendsRedirectUri: z.boolean().default(false).describe('The provider wants the redirect URI of the consent with it.'),
  terminalErrors: z
    .array(z.string())
    .default([])
    .describe('Error codes beside `invalid_grant` that say: this code or refresh token will never work.'),
  clientErrors: z
    .array(z.string())
    .default([])
    .describe('Error codes beside `invalid_client` that say: our client is refused, whosever token it is.'),
});

const Seconds = z.int().positive().nullable();
const Lifetimes = z.strictObject({
  accessSeconds: Seconds.describe('Assumed where the answer names no expiry; null: until revoked.'),
  refreshIdleSeconds: Seconds.describe('A refresh token that is not used for so long is gone; null: none documented.'),
  absoluteSeconds: Seconds.describe('So long after consent the person must consent anew; null: none documented.'),
});

const TokenAnswer = z.strictObject({
  accessToken: Pointer.default('/access_token'),
  refreshToken: Pointer.default('/refresh_token'),
  expiresIn: Pointer.default('/expires_in').describe('Seconds from now.'),
  refreshExpiresIn: Pointer.optional().describe('Seconds from now.'),
  scope: Pointer.default('/scope'),
  error: Pointer.default('/error').describe('Present in an answer that is a failure whatever its status.'),
  ok: Pointer.optional().describe('Where it is false, the answer is a failure whatever its status.'),
  accountId: Pointer.optional(),
  accountName: Pointer.optional(),
  facts: z.record(Name, Pointer).default({}).describe('Other facts of the account that are kept, by name.'),
});

const Account = z.discriminatedUnion('from', [
  z.strictObject({ from: z.literal('token-answer').describe('Pointers stand under `answer`.') }),
  z.strictObject({
    from: z.literal('request'),
    method: z.enum(['GET', 'POST']).default('GET'),
    url: UrlTemplate,
    headers: Headers.default({}),
    json: z.unknown().optional().describe('Body of a POST.'),
    id: Pointer,
    name: Pointer,
  }),
  z.strictObject({
    from: z.literal('id-token').describe('Claims of the id_token that comes with the first tokens (OpenID Connect).'),
    id: Pointer,
    name: Pointer,
  }),
  z.strictObject({ from: z.literal('nowhere'), because: Text }),
]);

const RevokedTokens = z
  .array(z.enum(['refresh_token', 'access_token']))
  .min(1)
  .describe('Which tokens are sent, each in a request of its own, in this order.');

const Revocation = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('rfc7009'),
    endpoint: UrlTemplate,
    tokens: RevokedTokens,
    authentication: ClientAuthenticationMethod.optional().describe('Absent: as at the token endpoint.'),
  }),
  z.strictObject({
    kind: z.literal('request').describe('The provider has a way of its own.'),
    method: z.enum(['GET', 'POST', 'DELETE']),
    url: UrlTemplate.describe('May name {client_id} too.'),
    authentication: z.enum(['client_secret_basic', 'bearer', 'none']).describe('bearer: the access token.'),
    tokens: RevokedTokens,
    headers: Headers.default({}),
    body: z
      .strictObject({ format: z.enum(['form', 'json']), fields: Fields })
      .optional()
      .describe('Values may name {token}, {client_id} and {client_secret}.'),
    statuses: z.array(z.int()).min(1).describe('That say: revoked, or was not valid any more.'),
    ok: Pointer.optional().describe('Where it is false, the answer is a failure whatever its status.'),
    goneErrors: z.array(z.string()).default([]).describe('Error codes that say: was not valid any more.'),
  }),
  z.strictObject({ kind: z.literal('none'), because: Text }),
]);

/** A step that one provider needs after consent; each has a file of its own under `src/hooks`. */
export const ProviderHook = z.enum(['atlassian-cloud-id']);
export type ProviderHook = z.infer<typeof ProviderHook>;

const ProviderEntryShape = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,62}$/),
  title: Text,
  description: Text,
  parameters: z.record(Name, ProviderParameter).default({}),
  grants: z.array(ProviderGrant).min(1),
  authorization: Authorization,
  token: Token,
  scopes: Scopes,
  refresh: Refresh,
  lifetimes: Lifetimes,
  answer: TokenAnswer.prefault({}),
  refreshAnswer: TokenAnswer.optional().describe('Where the answer to a refresh has another shape.'),
  account: Account,
  revocation: Revocation,
  credential: z.strictObject({
    headers: Headers.describe('What the credential becomes; one value names {access_token}.'),
  }),
  hook: ProviderHook.optional(),
  quirks: z.array(Text).describe('What would surprise whoever sets this provider up.'),
  sources: z
    .array(z.strictObject({ url: z.url({ protocol: /^https$/ }), readOn: z.iso.date() }))
    .min(1)
    .describe("The provider's own documents, and the day on which they said so."),
});

/**
 * One provider of OAuth, as data: all that differs between providers is a field. The published form of it is
 * `docs/provider-entry.schema.json`.
 */
export const ProviderEntry = ProviderEntryShape.check(({ value, issues }) => {
  for (const message of faultsOf(value)) issues.push({ code: 'custom', message, input: value });
});
export type ProviderEntry = z.infer<typeof ProviderEntryShape>;

/** What the shape alone cannot say. */
function faultsOf(entry: ProviderEntry): string[] {
  const declared = new Set(Object.keys(entry.parameters));
  const { revocation, account, authorization, token } = entry;
  const own =
    revocation.kind === 'request' ? placeholdersOf(revocation.url).filter((name) => name !== 'client_id') : [];
  const urls = [
    authorization.endpoint,
    authorization.issuer,
    token.endpoint,
    account.from === 'request' ? account.url : undefined,
    revocation.kind === 'rfc7009' ? revocation.endpoint : undefined,
  ].filter((url) => url !== undefined);
  const faults = [...urls.flatMap(placeholdersOf), ...own]
    .filter((name) => !declared.has(name))
    .map((name) => `a URL names {${name}}, which is no parameter`);
  for (const [name, { pattern }] of Object.entries(entry.parameters))
    if (pattern !== undefined && !isPattern(pattern)) faults.push(`the pattern of ${name} is no regular expression`);
  if (placeholdersOf(token.endpoint).some((name) => entry.parameters[name]?.isOptional === true))
    faults.push('the token endpoint is never optional');
  const carrying = Object.values(entry.credential.headers).filter((value) => value.includes('{access_token}'));
  if (carrying.length !== 1) faults.push('one header of the credential, and one only, names {access_token}');
  if (account.from === 'token-answer' && entry.answer.accountId === undefined)
    faults.push('the account is in the token answer, and answer.accountId does not say where');
  return faults;
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'u') instanceof RegExp;
  } catch {
    return false;
  }
}
