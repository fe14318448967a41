import { randomBytes, randomUUID } from 'node:crypto';
import { type LegacySession, openSession, sealSession } from '@warder/mcp-wire';
import type { IdentifiedOperation } from '../pipeline/call.js';
import type { Sessions } from '../pipeline/gateway.js';
import { Refusal } from '../pipeline/refusal.js';

const OPENED_MAX = 10_000;
const ENDED_MAX = 10_000;
/** JSON characters of what a client says of itself that its session id may carry. */
const CLAIM_CHARS_MAX = 2_048;

/** Legacy sessions without a store: the id is the sealed session, and any node that holds the key can open it. */
export class LegacySessions implements Sessions {
  private readonly opened = new Map<string, LegacySession>();
  private readonly ended = new Set<string>();

  constructor(
    private readonly node: string,
    private readonly key: Uint8Array,
    private readonly ageMaxMs: number,
    private readonly wallMs: () => number,
  ) {}

  start(call: IdentifiedOperation): string {
    const session: LegacySession = {
      sessionId: randomUUID(),
      node: this.node,
      principalId: call.principal.id,
      virtualServer: call.virtualServer,
      protocolVersion: call.revision.protocolVersion,
      clientInfo: bounded(call.greeted?.clientInfo),
      capabilities: bounded(call.greeted?.capabilities),
      issuedAtMs: this.wallMs(),
    };
    return sealSession(session, this.key, randomBytes(12));
  }

  /**
   * The session behind an id.
   * @throws Refusal WDR_SESSION_MISSING without an id, WDR_SESSION_UNKNOWN for one that is not good here: the client
   * initializes anew
   */
  open(sessionToken: string | undefined, virtualServer: string): LegacySession {
    if (sessionToken === undefined) {
      throw new Refusal('WDR_SESSION_MISSING', 'Bad Request: Mcp-Session-Id is required', 'no session id');
    }
    const session = this.opened.get(sessionToken) ?? this.openNew(sessionToken);
    const isGood =
      session !== undefined &&
      session.virtualServer === virtualServer &&
      this.wallMs() - session.issuedAtMs <= this.ageMaxMs &&
      !this.ended.has(session.sessionId);
    if (isGood) return session;
    throw new Refusal(
      'WDR_SESSION_UNKNOWN',
      'Session not found',
      'not sealed by us for this server, ended, or too old',
    );
  }

  /** When a session is too old, wall milliseconds. */
  endsAtMs({ issuedAtMs }: LegacySession): number {
    return issuedAtMs + this.ageMaxMs;
  }

  /**
   * Ends a session on this node; elsewhere it lives until its age ends, for it is no credential. Named by what is sealed
   * in its token, for one token can be written in many ways (Base64 with and without padding).
   */
  end(sessionId: string): void {
    if (this.ended.size >= ENDED_MAX) this.ended.delete(this.ended.values().next().value!);
    this.ended.add(sessionId);
  }

  private openNew(sessionToken: string): LegacySession | undefined {
    const session = openSession(sessionToken, this.key, this.wallMs(), this.ageMaxMs);
    if (session === undefined) return undefined;
    if (this.opened.size >= OPENED_MAX) this.opened.delete(this.opened.keys().next().value!);
    this.opened.set(sessionToken, session);
    return session;
  }
}

function bounded(claim: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> {
  return claim === undefined || JSON.stringify(claim).length > CLAIM_CHARS_MAX ? {} : claim;
}
