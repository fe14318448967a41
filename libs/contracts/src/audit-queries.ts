import { z } from 'zod';
import { AuditRecord } from './audit-record.js';

/** Text of a filter: it stands in an index or a pattern, so it is short. */
const FilterText = z.string().min(1).max(512);
const PageLimit = z.coerce.number().int().min(1).max(500).default(50);
const Cursor = z.string().min(1).max(256);

/** A time: ISO 8601 with an offset, or milliseconds since 1970. */
const Time = z
  .union([z.iso.datetime({ offset: true }), z.string().regex(/^\d{1,15}$/)])
  .transform((text) => new Date(/^\d+$/.test(text) ? Number(text) : text).toISOString());

/** Query of `GET /admin/audit/calls`; filters that are given must all hold. */
export const AuditCallsQuery = z.strictObject({
  /** Inclusive. */
  from: Time.optional(),
  /** Exclusive. */
  to: Time.optional(),
  /** Id, e-mail (any case) or name of a principal. */
  human: FilterText.optional(),
  /** Id or name of a credential. */
  agent: FilterText.optional(),
  virtualServer: FilterText.optional(),
  upstream: FilterText.optional(),
  /** The upstream's own name of the tool. */
  tool: FilterText.optional(),
  decision: z.enum(['permit', 'forbid']).optional(),
  outcome: z.enum(['success', 'failure', 'unknown']).optional(),
  kind: AuditRecord.shape.kind.optional(),
  /** Code of a refusal. */
  code: FilterText.optional(),
  /** Any part of the arguments' JSON, in any case. */
  text: FilterText.optional(),
  limit: PageLimit,
  cursor: Cursor.optional(),
});
export type AuditCallsQuery = z.infer<typeof AuditCallsQuery>;

/** Query of `GET /admin/audit/export`: the same filters, and the form. */
export const AuditExportQuery = AuditCallsQuery.omit({ limit: true, cursor: true }).extend({
  format: z.enum(['ndjson', 'csv']).default('ndjson'),
});
export type AuditExportQuery = z.infer<typeof AuditExportQuery>;

/** Query of `GET /admin/audit/who-used`. */
export const WhoUsedQuery = z.strictObject({
  upstream: FilterText.optional(),
  tool: FilterText.optional(),
  /** Whole days in UTC, today included. */
  days: z.coerce.number().int().min(1).max(3_660).default(30),
  /** Counted from the roll-up, or from the archived records themselves. */
  source: z.enum(['roll-up', 'archive']).default('roll-up'),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
  /** Holds the names of the last line, so it may be longer than others. */
  cursor: z.string().min(1).max(8_192).optional(),
});
export type WhoUsedQuery = z.infer<typeof WhoUsedQuery>;

/** Query of `GET /admin/audit/checkpoints`. */
export const CheckpointsQuery = z.strictObject({
  /** `<node>/<id>` or `admin/<service>`; all logs if not given. */
  log: FilterText.optional(),
  limit: PageLimit,
  cursor: z.string().min(1).max(1_024).optional(),
});
export type CheckpointsQuery = z.infer<typeof CheckpointsQuery>;

/** Query of `GET /admin/audit/bundle`: the checkpoints made in the time, with the records that they name. */
export const BundleQuery = z.strictObject({
  /** Inclusive. */
  from: Time,
  /** Exclusive. */
  to: Time,
});
export type BundleQuery = z.infer<typeof BundleQuery>;

/** Query of `GET /admin/audit/quarantine`. */
export const QuarantineQuery = z.strictObject({ limit: PageLimit, cursor: Cursor.optional() });
export type QuarantineQuery = z.infer<typeof QuarantineQuery>;

/** Body of `POST /admin/audit/exporters/<name>/rewind`. */
export const RewindExporter = z.strictObject({
  /** Export again what was published at or after this time, or all that the topic still holds. */
  to: z.union([z.literal('beginning'), z.iso.datetime({ offset: true })]),
});
export type RewindExporter = z.infer<typeof RewindExporter>;
