import { z } from 'zod';
import { ActionWord } from './action-rules.js';
import { CaptureLevel } from './capture-level.js';
import { FlowRecord } from './flow-record.js';
import { ProviderRecord } from './guardrail-providers.js';
import { FindingCategory } from './finding-category.js';

/** Bytes of arguments and of result that a record keeps whole; longer ones are cut, with hash and length. */
export const CAPTURE_BYTES_MAX = 16_384;

/**
 * Arguments or a result as they were after redaction: whole as `value`, or, past `CAPTURE_BYTES_MAX`, the first
 * bytes of their JSON as `head` with the SHA-256 (hex) of all of it. The level of capture may leave only the hash, or
 * only the length.
 */
export const Capture = z.union([
  z.object({ bytes: z.int(), value: z.unknown() }),
  z.object({ bytes: z.int(), head: z.string(), sha256: z.string() }),
  z.object({ bytes: z.int(), sha256: z.string() }),
  z.object({ bytes: z.int() }),
]);
export type Capture = z.infer<typeof Capture>;

/** What a guardrail saw and what was done: the kind and the place, never the value. */
export const Finding = z.object({
  detector: z.string(),
  /** Of a detector, or `definition`: of the tool itself, or `content`: what a provider minds that is neither. */
  category: z.enum([...FindingCategory.options, 'definition', 'content']),
  action: ActionWord.exclude(['off']),
  /** The rule of the matrix that said so, where one did. */
  rule: z.string().optional(),
  /** What a rule on trial would have done. */
  shadow: z.object({ rule: z.string(), action: ActionWord }).optional(),
  phase: z.enum(['request', 'interim', 'response']),
  /** JSON pointer (RFC 6901) into what the record keeps whole, keys redacted like values; empty where it keeps less. */
  place: z.string(),
  count: z.int().min(1),
});
export type Finding = z.infer<typeof Finding>;

/** Microseconds spent in each phase that the call went through. */
export const PhasesUs = z.record(z.string(), z.number());

const RecordKind = z.enum([
  'call',
  'list',
  'session',
  'authentication',
  'protocol',
  'admin',
  'query',
  'export',
  'erasure',
  /** A journal says what it lost or was told to drop. */
  'gap',
]);

/** The half that is known before the upstream is called, and written down before it. */
export const AuditIntent = z.object({
  schemaVersion: z.literal(2),
  /** UUIDv7 of the operation; the one key by which a record is stored once. */
  recordId: z.uuid(),
  kind: RecordKind,
  occurredAtMs: z.number(),
  node: z.string(),
  principal: z.object({ id: z.string(), kind: z.string(), groups: z.array(z.string()) }).nullable(),
  /** Who acts for the principal, the nearest first (RFC 8693 section 4.1); empty for personal tokens. */
  actorChain: z.array(z.object({ id: z.string(), kind: z.string() })),
  /**
   * The agent is the credential: a personal access token, what a person allowed an OAuth client, a service account's
   * own credential, or what an agent got for a person by exchange or by the word of the company's provider.
   */
  agent: z
    .object({ id: z.string(), kind: z.enum(['pat', 'oauth', 'client-credentials', 'token-exchange', 'id-jag']) })
    .nullable(),
  /** What the gateway itself established about the client, and how; null for personal tokens, which prove none. */
  verified: z.object({ client: z.string(), by: z.string() }).nullable(),
  traceId: z.string().nullable(),
  method: z.string(),
  protocolVersion: z.string().nullable(),
  virtualServer: z.string().nullable(),
  upstream: z.string().nullable(),
  /** The upstream's own name of the tool, and the name under which it was asked for. */
  tool: z.string().nullable(),
  exposedName: z.string().nullable(),
  definitionHash: z.string().nullable(),
  policyVersion: z.number().nullable(),
  guardrailsVersion: z.number().nullable(),
  rule: z.string().nullable(),
  /** The approval that the call used up or waits for, where something held it. */
  approval: z.string().optional(),
  capture: CaptureLevel,
});
export type AuditIntent = z.infer<typeof AuditIntent>;

/** The half that is known at the end. */
export const AuditOutcome = z.object({
  decision: z.enum(['permit', 'forbid']),
  outcome: z.enum(['success', 'failure', 'unknown']),
  /** A stable code of docs/errors.md; the operator's sentence is `personal.refusalDetail`, for it may quote a caller. */
  refusal: z.object({ code: z.string() }).nullable(),
  /** The upstream answered `isError: true` or a JSON-RPC error. */
  isError: z.boolean(),
  findings: z.array(Finding),
  /** What the flow policy said of the call; absent where it said nothing. */
  flow: FlowRecord.optional(),
  /** What each guardrail provider said that the call waited for; absent where none was asked. */
  providers: z.array(ProviderRecord).optional(),
  phasesUs: PhasesUs,
  /** How many alike this record stands for; above 1 only for refusals before identification and at admin doors. */
  count: z.int().min(1),
});
export type AuditOutcome = z.infer<typeof AuditOutcome>;

/** What of the first half is about people or was written by them. */
export const PersonalIntent = z.object({
  /** 16 random bytes, base64url: whoever knows the commitment cannot find by trying what it is of. */
  salt: z.string().regex(/^[\w-]{22}$/),
  principal: z.object({ name: z.string(), email: z.string().nullable() }).nullable(),
  agent: z.object({ name: z.string() }).nullable(),
  /** What the client says of itself; never believed. */
  claimed: z.object({ name: z.string(), version: z.string() }).nullable(),
  address: z.string(),
  arguments: Capture.nullable(),
});
export type PersonalIntent = z.infer<typeof PersonalIntent>;

/** The same of the second half. */
export const PersonalOutcome = z.object({ refusalDetail: z.string().nullable(), result: Capture.nullable() });
export type PersonalOutcome = z.infer<typeof PersonalOutcome>;

/** All that an erasure takes away. */
export const PersonalPart = z.object({ ...PersonalIntent.shape, ...PersonalOutcome.shape });
export type PersonalPart = z.infer<typeof PersonalPart>;

/**
 * One per operation, allowed or refused. `log` and `sequence` (contiguous from 1 per log) are the journal's. A record's
 * text has its members in this order: `personal` comes last, so that the bytes before it, which prove the record, are
 * the same after an erasure.
 */
export const AuditRecord = z.object({
  log: z.string(),
  sequence: z.int().min(1),
  /** Place in the log's Merkle tree, from 0, in the order in which records became whole. */
  index: z.int().min(0).optional(),
  /** SHA-256 (hex) of the exact bytes of `personal`. */
  commitment: z.string().regex(/^[0-9a-f]{64}$/),
  ...AuditIntent.shape,
  ...AuditOutcome.shape,
  /** null once it was erased. */
  personal: PersonalPart.nullable(),
});
export type AuditRecord = z.infer<typeof AuditRecord>;
