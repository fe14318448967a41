import { z } from 'zod';
import { FindingCategory } from './topics/guardrail-rules-state.js';

/** Bytes of arguments and of result that a record keeps whole; longer ones are cut, with hash and length. */
export const CAPTURE_BYTES_MAX = 16_384;

/**
 * Arguments or a result as they were after redaction: whole as `value`, or, past `CAPTURE_BYTES_MAX`, the first
 * bytes of their JSON as `head` with the SHA-256 (hex) of all of it.
 */
export const Capture = z.union([
  z.object({ bytes: z.int(), value: z.unknown() }),
  z.object({ bytes: z.int(), head: z.string(), sha256: z.string() }),
]);
export type Capture = z.infer<typeof Capture>;

/** What a guardrail saw and what was done: the kind and the place, never the value. */
export const Finding = z.object({
  detector: z.string(),
  category: FindingCategory,
  action: z.enum(['flag', 'redact', 'block']),
  phase: z.enum(['request', 'interim', 'response']),
  /** JSON pointer (RFC 6901) into the arguments, message or result; keys are redacted like values. */
  place: z.string(),
  count: z.int().min(1),
});
export type Finding = z.infer<typeof Finding>;

/** Microseconds spent in each phase that the call went through. */
export const PhasesUs = z.record(z.string(), z.number());

/** The half that is known before the upstream is called, and written down before it. */
export const AuditIntent = z.object({
  schemaVersion: z.literal(1),
  /** UUIDv7 of the operation; the one key by which a record is stored once. */
  recordId: z.uuid(),
  kind: z.enum(['call', 'list', 'session', 'authentication', 'protocol', 'admin']),
  occurredAtMs: z.number(),
  node: z.string(),
  principal: z
    .object({
      id: z.string(),
      kind: z.string(),
      name: z.string(),
      email: z.string().nullable(),
      groups: z.array(z.string()),
    })
    .nullable(),
  /** The agent is the credential and its name. */
  agent: z.object({ id: z.string(), name: z.string(), kind: z.literal('pat') }).nullable(),
  /** What the client says of itself; never believed. */
  claimed: z.object({ name: z.string(), version: z.string() }).nullable(),
  address: z.string(),
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
  rule: z.string().nullable(),
  arguments: Capture.nullable(),
});
export type AuditIntent = z.infer<typeof AuditIntent>;

/** The half that is known at the end. */
export const AuditOutcome = z.object({
  decision: z.enum(['permit', 'forbid']),
  outcome: z.enum(['success', 'failure', 'unknown']),
  /** A stable code of docs/errors.md and the operator's sentence. */
  refusal: z.object({ code: z.string(), detail: z.string() }).nullable(),
  /** The upstream answered `isError: true` or a JSON-RPC error. */
  isError: z.boolean(),
  result: Capture.nullable(),
  findings: z.array(Finding),
  phasesUs: PhasesUs,
  /** How many alike this record stands for; above 1 only for refusals before identification. */
  count: z.int().min(1),
});
export type AuditOutcome = z.infer<typeof AuditOutcome>;

/** One per operation, allowed or refused. `log` and `sequence` (contiguous from 1 per log) are the journal's. */
export const AuditRecord = z.object({
  log: z.string(),
  sequence: z.int().min(1),
  ...AuditIntent.shape,
  ...AuditOutcome.shape,
});
export type AuditRecord = z.infer<typeof AuditRecord>;
