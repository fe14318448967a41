import { createHash } from 'node:crypto';
import {
  type AuditRecord,
  CAPTURE_BYTES_MAX,
  type Capture,
  type PersonalPart,
  type PrincipalState,
} from '@warder/contracts';
import { type Credential, isClientGrant } from '@warder/tokens';

/** Who changes something at an admin door; `null` members for the service itself, as at its first start. */
export interface AdminActor {
  readonly principal: PrincipalState | null;
  readonly token: Credential | null;
  /** A program that is no principal, and how it was told apart, such as a directory by its SCIM bearer. */
  readonly client?: { readonly name: string; readonly by: string };
  /** Who acts for the principal, the nearest first; nobody unless said otherwise. */
  readonly actors?: readonly { readonly id: string; readonly kind: string }[];
  /** Client address as the door saw it; empty for the service itself. */
  readonly address: string;
}

/** One act at an admin door. `arguments` must hold no secret: it is kept for as long as records are. */
export interface AdminAction {
  /** What kind of act it was; a change (`admin`) unless said otherwise. */
  readonly kind?: 'admin' | 'authentication' | 'protocol' | 'query' | 'export' | 'erasure';
  /** `<noun>.<verb>`, such as `principal.create`; stands in the record as `admin/<service>/<noun>.<verb>`. */
  readonly action: string;
  readonly by: AdminActor;
  readonly arguments: unknown;
  /** What was answered, as far as it is kept. */
  readonly result?: Capture;
  /** Why it was not done. `isForbidden`: whoever asked had no right to it. */
  readonly refusal?: { readonly code: string; readonly detail: string; readonly isForbidden: boolean };
  /** How many alike this stands for; 1 unless said otherwise. */
  readonly count?: number;
}

/** Where and when an admin record was made, and its number. */
export interface AdminRecordPlace {
  readonly service: string;
  readonly node: string;
  readonly sequence: number;
  readonly recordId: string;
  readonly occurredAtMs: number;
  /** 16 random bytes, base64url. */
  readonly salt: string;
}

/** The record of an act; its JSON text has the members in the order of the contract. */
export function adminRecordOf(action: AdminAction, place: AdminRecordPlace): AuditRecord {
  const { by, refusal, result = null, kind = 'admin', count = 1 } = action;
  const { principal, token, actors = [], address } = by;
  const grant = token !== null && isClientGrant(token) ? token : undefined;
  const verified = grant === undefined ? by.client : { name: grant.client.id, by: grant.client.by };
  const personal: PersonalPart = {
    salt: place.salt,
    principal: principal && { name: principal.name, email: principal.email },
    agent: token && { name: token.name },
    claimed: null,
    address,
    arguments: captureOf(action.arguments),
    refusalDetail: refusal?.detail ?? null,
    result,
  };
  return {
    log: `admin/${place.service}`,
    sequence: place.sequence,
    index: place.sequence - 1,
    commitment: createHash('sha256').update(JSON.stringify(personal)).digest('hex'),
    schemaVersion: 2,
    recordId: place.recordId,
    kind,
    occurredAtMs: place.occurredAtMs,
    node: place.node,
    principal: principal && { id: principal.id, kind: principal.kind, groups: principal.groups },
    actorChain: [...actors],
    agent: token && { id: token.id, kind: grant?.kind ?? 'pat' },
    verified: verified === undefined ? null : { client: verified.name, by: verified.by },
    traceId: null,
    method: `admin/${place.service}/${action.action}`,
    protocolVersion: null,
    virtualServer: null,
    upstream: null,
    tool: null,
    exposedName: null,
    definitionHash: null,
    policyVersion: null,
    guardrailsVersion: null,
    rule: null,
    capture: result === null || 'value' in result ? 'full' : 'request',
    decision: refusal?.isForbidden === true ? 'forbid' : 'permit',
    outcome: refusal === undefined ? 'success' : 'failure',
    refusal: refusal === undefined ? null : { code: refusal.code },
    isError: false,
    findings: [],
    phasesUs: {},
    count,
    personal,
  };
}

// A backslash pair is passed over as one, so that the text `\\\\u0000` stays what it is.
const ESCAPE = /\\(?:u0000|ud[89a-f][0-9a-f]{2}|[^])/g;

function captureOf(value: unknown): Capture {
  // NUL and half a surrogate pair, which no store takes, are written as escapes and by nothing else.
  const text = JSON.stringify(value ?? null).replace(ESCAPE, (escape) => (escape.length > 2 ? '\ufffd' : escape));
  const json = Buffer.from(text);
  if (json.length <= CAPTURE_BYTES_MAX) return { bytes: json.length, value: JSON.parse(text) as unknown };
  const sha256 = createHash('sha256').update(json).digest('hex');
  // A cut inside of a character becomes U+FFFD; the hash is of all of it.
  return { bytes: json.length, head: json.subarray(0, CAPTURE_BYTES_MAX).toString('utf8'), sha256 };
}
