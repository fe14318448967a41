import { subjectIdsOf, SubjectUnclear, type SubjectId } from './subject.js';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';
const EVENTS_MAX = 10;
/** Above it a time is in milliseconds, as some senders write it, and not in seconds. */
const SECONDS_MAX = 100_000_000_000;

/**
 * What an event does here. `sign-out` ends sessions and clients, `suspend` all access until `restore` of the same
 * sender, `remove` all access for good; `note` leaves a record.
 */
export type EventEffect = 'sign-out' | 'suspend' | 'restore' | 'remove' | 'note';

/** One event of a token. */
export interface SecurityEvent {
  /** Its URI, cut to what a record holds. */
  readonly type: string;
  readonly effect: EventEffect;
  /** Empty where the sender names nobody in a way that is known. */
  readonly subjects: readonly SubjectId[];
  /** When it happened, in wall milliseconds; as the sender says, but never later than now. */
  readonly atMs: number;
}

/** The claims of a security event token that are read (RFC 8417 section 2.2). */
export interface EventClaims {
  readonly jti: string;
  readonly iat: number;
  readonly toe?: unknown;
  readonly events?: unknown;
  readonly sub_id?: unknown;
}

/** The token is not one of security events. */
export class NoSecurityEvents extends Error {
  override readonly name = 'NoSecurityEvents';
}

/**
 * The events of a verified token.
 * @param nowMs - wall milliseconds
 * @throws NoSecurityEvents where there is none, or more than ten
 */
export function securityEventsOf(claims: EventClaims, nowMs: number): readonly SecurityEvent[] {
  const { events } = claims;
  if (typeof events !== 'object' || events === null || Array.isArray(events)) throw new NoSecurityEvents('no events');
  const entries = Object.entries(events as Record<string, unknown>);
  if (entries.length === 0 || entries.length > EVENTS_MAX)
    throw new NoSecurityEvents(`${entries.length} events in one token`);
  return entries.map(([type, value]) => {
    const event = (typeof value === 'object' && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
    return {
      type: type.slice(0, 200),
      effect: effectOf(type, event),
      // The token's own member is of the final specification, the event's of the drafts that are in the field.
      subjects: subjectsOf(claims.sub_id ?? event['subject']),
      atMs: Math.min(nowMs, msOf(event['event_timestamp']) ?? msOf(claims.toe) ?? claims.iat * 1_000),
    };
  });
}

/**
 * Types that mean nothing for access are noted: a verification of the stream, and those of tomorrow too.
 * @see OpenID CAEP 1.0 section 3; OpenID RISC 1.0 section 2
 */
function effectOf(type: string, event: Readonly<Record<string, unknown>>): EventEffect {
  switch (type) {
    case `${CAEP}session-revoked`:
    case `${RISC}sessions-revoked`:
    case `${RISC}account-credential-change-required`:
    case `${RISC}credential-compromise`:
      return 'sign-out';
    case `${CAEP}credential-change`:
      return effectOfChange(event);
    case `${RISC}account-disabled`:
      return 'suspend';
    case `${RISC}account-enabled`:
      return 'restore';
    case `${RISC}account-purged`:
      return 'remove';
    default:
      return 'note';
  }
}

/**
 * Whoever loses a credential, or has another password, has to show who they are again; who enrols one more, or renews a
 * key, does not. What is not known ends sessions: to keep one that should have ended is the worse mistake.
 */
function effectOfChange({
  change_type: change,
  credential_type: kind,
}: Readonly<Record<string, unknown>>): EventEffect {
  if (change === 'create') return 'note';
  if (change === 'update')
    return kind === 'password' || kind === 'pin' || typeof kind !== 'string' ? 'sign-out' : 'note';
  return 'sign-out';
}

function subjectsOf(given: unknown): readonly SubjectId[] {
  try {
    return subjectIdsOf(given);
  } catch (error) {
    if (error instanceof SubjectUnclear) return [];
    throw error;
  }
}

function msOf(time: unknown): number | undefined {
  if (typeof time !== 'number' || !Number.isFinite(time) || time <= 0) return undefined;
  return Math.floor(time > SECONDS_MAX ? time : time * 1_000);
}
