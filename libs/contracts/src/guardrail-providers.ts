import { z } from 'zod';
import { Name, ToolPattern } from './policy-names.js';

/** What a provider's finding is about; `content`: what is neither of the others, such as violence. */
export const SightingKind = z.enum(['secret', 'pii', 'injection', 'content']);
export type SightingKind = z.infer<typeof SightingKind>;

const Url = z.url({ protocol: /^https?$/ }).max(2_000);

/** The bounds of what is asked of one provider, and what a call does where there is no answer. */
const BOUNDS = {
  /** An operator says so by name, or no loopback, private or link-local address is ever dialled. */
  allowPrivateAddress: z.boolean().default(false),
  /** Milliseconds from the question to the whole answer, whatever has to be fetched for it. */
  timeoutMs: z.int().min(50).max(30_000).default(1_000),
  /** UTF-8 bytes of text that are sent; more is an error. */
  bytesMax: z.int().min(1_024).max(1_048_576).default(65_536),
  /** Questions at a time from one node; one more is an error. */
  concurrencyMax: z.int().min(1).max(256).default(16),
  /** `closed`: a call that waits for the provider and gets no answer is refused; `open`: it goes on, and the record says so. */
  onError: z.enum(['open', 'closed']).default('closed'),
  /** After so many errors in a row nothing is asked for `openMs`; then one question is tried. */
  breaker: z
    .strictObject({
      failures: z.int().min(1).max(1_000).default(5),
      openMs: z.int().min(100).max(600_000).default(10_000),
    })
    .prefault({}),
};

const Model = z.string().min(1).max(200);

/** A guardrail that somebody else runs: where it is and how it is asked. Its credential is never here. */
export const GuardrailProvider = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('webhook'), url: Url, ...BOUNDS }),
  z.strictObject({
    kind: z.literal('presidio'),
    /** Of the analyzer; `/analyze` is added. */
    url: Url,
    /** ISO 639-1. */
    language: z
      .string()
      .regex(/^[a-z]{2}$/)
      .default('en'),
    scoreMin: z.number().min(0).max(1).default(0.5),
    /** Entities that are looked for; all of them if not given. */
    entities: z
      .array(z.string().regex(/^[A-Z0-9_]{1,64}$/))
      .min(1)
      .max(200)
      .optional(),
    ...BOUNDS,
  }),
  /** `url` is the API's base; `/chat/completions` is added. */
  z.strictObject({ kind: z.literal('openai-judge'), url: Url, model: Model, ...BOUNDS }),
  z.strictObject({ kind: z.literal('llama-guard'), url: Url, model: Model, ...BOUNDS }),
  z.strictObject({
    kind: z.literal('bedrock'),
    region: z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/),
    /** Instead of the region's own endpoint, as with a VPC endpoint. */
    url: Url.optional(),
    guardrail: z
      .string()
      .regex(/^(?:[a-z0-9]+|arn:aws(?:-[^:/?#]+)?:bedrock:[a-z0-9-]{1,20}:\d{12}:guardrail\/[a-z0-9]+)$/),
    guardrailVersion: z.string().regex(/^(?:[1-9]\d{0,7}|DRAFT)$/),
    ...BOUNDS,
  }),
  /** `url` is the resource's endpoint. */
  z.strictObject({ kind: z.literal('azure-prompt-shields'), url: Url, ...BOUNDS }),
  z.strictObject({
    kind: z.literal('model-armor'),
    template: z
      .string()
      .regex(/^projects\/[a-z0-9:.-]{1,64}\/locations\/[a-z0-9-]{1,40}\/templates\/[A-Za-z0-9_-]{1,63}$/),
    /** Instead of the location's own endpoint. */
    url: Url.optional(),
    /** Where access tokens are had for the service account's key. */
    tokenUrl: Url.default('https://oauth2.googleapis.com/token'),
    ...BOUNDS,
  }),
  z.strictObject({
    kind: z.literal('lakera'),
    url: Url.default('https://api.lakera.ai'),
    projectId: z.string().min(1).max(200).optional(),
    ...BOUNDS,
  }),
]);
export type GuardrailProvider = z.infer<typeof GuardrailProvider>;

/** `redact`: spans are cut out, and what has none blocks; `approve`: of arguments, the call waits for a human. */
export const ProviderAction = z.enum(['flag', 'redact', 'block', 'approve']);
export type ProviderAction = z.infer<typeof ProviderAction>;

export const ProviderDirection = z.enum(['request', 'response']);
export type ProviderDirection = z.infer<typeof ProviderDirection>;

/** That a virtual server's calls are shown to a provider: which, when, and what becomes of what it finds. */
export const ProviderUse = z
  .strictObject({
    provider: Name,
    tools: z.array(ToolPattern).min(1).max(1_000).default(['*/*']),
    directions: z.array(ProviderDirection).min(1).max(2).default(['request', 'response']),
    /** `wait`: the call does. `after`: it does not, and what is found raises the labels of its run. */
    mode: z.enum(['wait', 'after']).default('after'),
    action: ProviderAction.default('flag'),
    /** Instead of `action`, by the kind of what is found. */
    actions: z.partialRecord(SightingKind, ProviderAction).default({}),
    /** `original`: the text as it came, before this gateway's own redaction. */
    text: z.enum(['redacted', 'original']).default('redacted'),
  })
  .refine(
    ({ text, action, actions }) => text === 'redacted' || ![action, ...Object.values(actions)].includes('redact'),
    'what is found in the original text cannot be cut out of the redacted one: "redact" needs text "redacted"',
  );
export type ProviderUse = z.infer<typeof ProviderUse>;

/** Why a provider's word is missing. */
export const ProviderError = z.enum([
  'timeout',
  'unreachable',
  'refused',
  'limited',
  'failed',
  'malformed',
  'too-large',
  'busy',
  'breaker-open',
  'no-credential',
]);
export type ProviderError = z.infer<typeof ProviderError>;

/** What one provider said of one direction of a call; never a text. */
export const ProviderRecord = z.object({
  provider: z.string(),
  phase: ProviderDirection,
  /** Whole milliseconds until it was known. */
  ms: z.int().min(0),
  found: z.array(z.object({ category: z.string(), count: z.int().min(1) })),
  error: ProviderError.nullable(),
});
export type ProviderRecord = z.infer<typeof ProviderRecord>;

/** The variable under which a lease of a provider's credential holds it. */
export const PROVIDER_SECRET = 'SECRET';
const UPSTREAM_PREFIX = 'guardrail/';

/** What a provider is to the delivery of credentials: an upstream that no policy can name. */
export const providerUpstream = (provider: string): string => `${UPSTREAM_PREFIX}${provider}`;

/** The provider whose credential is stored under the name of an upstream; undefined for a real upstream. */
export function providerOfUpstream(upstream: string): string | undefined {
  return upstream.startsWith(UPSTREAM_PREFIX) ? upstream.slice(UPSTREAM_PREFIX.length) : undefined;
}
