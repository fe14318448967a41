import type { Finding } from '@warder/contracts';

/** Arguments or a result as the capture level let them be kept: whole, cut to their head, hashed, or counted. */
export interface CapturedText {
  readonly bytes: number;
  readonly value?: unknown;
  readonly head?: string | undefined;
  readonly sha256?: string | undefined;
}

/** What names or may name a person; `null` in the record once it was erased. */
export interface PersonalMembers {
  readonly principal: { readonly name: string; readonly email: string | null } | null;
  readonly agent: { readonly name: string } | null;
  readonly claimed: { readonly name: string; readonly version: string } | null;
  readonly address: string;
  readonly arguments: CapturedText | null;
  readonly refusalDetail: string | null;
  readonly result: CapturedText | null;
}

/** A record as the formats read it. Read its text with `parseJson`, so that numbers stay what they were to the digit. */
export interface SiemRecord {
  readonly log: string;
  readonly sequence: number;
  /** Place in the Merkle tree of its log, from 0; absent where the log has none. */
  readonly index?: number | undefined;
  readonly commitment?: string | undefined;
  readonly schemaVersion: number;
  readonly recordId: string;
  readonly kind:
    'call' | 'list' | 'session' | 'authentication' | 'protocol' | 'admin' | 'query' | 'export' | 'erasure' | 'gap';
  readonly occurredAtMs: number;
  readonly node: string;
  readonly principal: { readonly id: string; readonly kind: string; readonly groups: readonly string[] } | null;
  readonly actorChain: readonly { readonly id: string; readonly kind: string }[];
  readonly agent: { readonly id: string; readonly kind: string } | null;
  readonly verified: { readonly client: string; readonly by: string } | null;
  readonly traceId: string | null;
  readonly method: string;
  readonly protocolVersion: string | null;
  readonly virtualServer: string | null;
  readonly upstream: string | null;
  readonly tool: string | null;
  readonly exposedName: string | null;
  readonly definitionHash: string | null;
  readonly policyVersion: number | null;
  readonly guardrailsVersion: number | null;
  readonly rule: string | null;
  readonly capture: 'none' | 'metadata' | 'hashes' | 'request' | 'full';
  readonly decision: 'permit' | 'forbid';
  readonly outcome: 'success' | 'failure' | 'unknown';
  readonly refusal: { readonly code: string } | null;
  readonly isError: boolean;
  readonly findings: readonly Finding[];
  readonly phasesUs: Readonly<Record<string, number>>;
  readonly count: number;
  readonly personal: PersonalMembers | null;
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
export function occurredMs({ occurredAtMs }: SiemRecord): number {
  return Math.min(MS_MAX, Math.max(0, Math.floor(occurredAtMs) || 0));
}
