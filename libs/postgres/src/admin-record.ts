import { createHash } from 'node:crypto';
import {
  type AuditRecord,
  CAPTURE_BYTES_MAX,
  type Capture,
  type PersonalPart,
  type PrincipalState,
  type TokenState,
} from '@warder/contracts';

/** Who changes something at an admin door; `null` members for the service itself, as at its first start. */
export interface AdminActor {
  readonly principal: PrincipalState | null;
  readonly token: TokenState | null;
  /** Client address as the door saw it; empty for the service itself. */
  readonly address: string;
}

/** One change at an admin door. `arguments` must hold no secret: it is kept for as long as records are. */
export interface AdminAction {
  /** `<noun>.<verb>`, such as `principal.create`; stands in the record as `admin/<service>/<noun>.<verb>`. */
  readonly action: string;
  readonly by: AdminActor;
  readonly arguments: unknown;
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

/** The record of a change that was made; its JSON text has the members in the order of the contract. */
export function adminRecordOf(action: AdminAction, place: AdminRecordPlace): AuditRecord {
  const { principal, token, address } = action.by;
  const personal: PersonalPart = {
    salt: place.salt,
    principal: principal && { name: principal.name, email: principal.email },
    agent: token && { name: token.name },
    claimed: null,
    address,
    arguments: captureOf(action.arguments),
    refusalDetail: null,
    result: null,
  };
  return {
    log: `admin/${place.service}`,
    sequence: place.sequence,
    index: place.sequence - 1,
    commitment: createHash('sha256').update(JSON.stringify(personal)).digest('hex'),
    schemaVersion: 2,
    recordId: place.recordId,
    kind: 'admin',
    occurredAtMs: place.occurredAtMs,
    node: place.node,
    principal: principal && { id: principal.id, kind: principal.kind, groups: principal.groups },
    actorChain: [],
    agent: token && { id: token.id, kind: 'pat' },
    verified: null,
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
    capture: 'full',
    decision: 'permit',
    outcome: 'success',
    refusal: null,
    isError: false,
    findings: [],
    phasesUs: {},
    count: 1,
    personal,
  };
}

function captureOf(value: unknown): Capture {
  const text = JSON.stringify(value ?? null);
  const json = Buffer.from(text);
  if (json.length <= CAPTURE_BYTES_MAX) return { bytes: json.length, value: JSON.parse(text) as unknown };
  const sha256 = createHash('sha256').update(json).digest('hex');
  // A cut inside of a character becomes U+FFFD; the hash is of all of it.
  return { bytes: json.length, head: json.subarray(0, CAPTURE_BYTES_MAX).toString('utf8'), sha256 };
}
