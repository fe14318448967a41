import type { AuditRecord } from '@warder/contracts';

/** Any of the forms of a `Capture`: whole, cut to its head, hashed, or counted. */
export interface CapturedText {
  readonly bytes: number;
  readonly value?: unknown;
  readonly head?: string | undefined;
  readonly sha256?: string | undefined;
}

/** What is known of a record beside its members. */
export interface RecordNotes {
  /** SHA-256 (hex) of the record's leaf in the Merkle log, RFC 6962 section 2.1. */
  readonly leafHash?: string | undefined;
  /** Where the record was cut to fit into a message. */
  readonly cut?: CutNote | undefined;
}

/** What was cut, and where it is whole. */
export interface CutNote {
  /** UTF-8 bytes of the body before it was cut, and their SHA-256 (hex). */
  readonly bytes: number;
  readonly sha256: string;
  /** Path of the whole record at the admin door. */
  readonly pointer: string;
}

/** How this product names itself to a SIEM. */
export const PRODUCT = { vendor: 'Warder', name: 'Warder', version: '0.1.0' } as const;

/** Where the whole record is read at the admin door. @param recordId - as it stands in the record */
export function recordPointer(recordId: string): string {
  return `/admin/audit/calls/${encodeURIComponent(recordId)}`;
}

const MS_MAX = 253_402_300_799_999;

/** When it happened, in whole milliseconds that every format can write: of the years 1970 to 9999. */
export function occurredMs({ occurredAtMs }: AuditRecord): number {
  return Math.min(MS_MAX, Math.max(0, Math.floor(occurredAtMs) || 0));
}
