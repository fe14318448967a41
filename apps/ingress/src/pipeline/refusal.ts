import type { Finding, FlowRecord } from '@warder/contracts';
import type { UrlRequest } from '@warder/mcp-wire';
import type { Identified } from '@warder/tokens';

/**
 * How a refusal is told. `error` is a JSON-RPC error under an HTTP status, `tool-error` a result with `isError: true`
 * that the model can read. Codes of JSON-RPC are the protocol's own where it has one; ours lie outside its reserved
 * range, as -31000 minus the HTTP status.
 */
export interface Telling {
  readonly as: 'error' | 'tool-error';
  /** HTTP status. */
  readonly status: number;
  /** JSON-RPC code. */
  readonly rpcCode: number;
}

const error = (status: number, rpcCode = -31_000 - status): Telling => ({ as: 'error', status, rpcCode });
const toolError: Telling = { as: 'tool-error', status: 200, rpcCode: -32_603 };

/** Every refusal of the data plane. Codes are stable and stand in docs/errors.md, a paragraph each; a test compares both ways. */
export const REFUSALS = {
  WDR_HEADER_REPEATED: error(400),
  WDR_HOST_UNKNOWN: error(403),
  WDR_ORIGIN_FORBIDDEN: error(403),
  WDR_ADDRESS_LIMITED: error(429),
  WDR_METHOD_NOT_ALLOWED: error(405),
  WDR_VIRTUAL_SERVER_UNKNOWN: error(404),
  WDR_TOKEN_MISSING: error(401),
  WDR_TOKEN_UNKNOWN: error(401),
  WDR_CONTENT_TYPE_UNSUPPORTED: error(415),
  WDR_ACCEPT_UNSUPPORTED: error(406),
  WDR_BODY_TOO_LARGE: error(413),
  WDR_BODY_TIMEOUT: error(408),
  WDR_MESSAGE_INVALID: error(400, -32_600),
  WDR_SESSION_MISSING: error(400, -32_000),
  WDR_SESSION_UNKNOWN: error(404, -32_001),
  WDR_METHOD_UNKNOWN: error(404, -32_601),
  WDR_STATE_NOT_READY: error(503),
  WDR_IDENTITY_STALE: error(503),
  WDR_OVERLOADED: error(503),
  WDR_RATE_LIMITED: error(429),
  WDR_SUBSCRIPTION_LIMIT: error(429),
  WDR_TOOL_UNKNOWN: error(200, -32_602),
  WDR_LIST_UNAVAILABLE: error(503),
  WDR_GUARDRAIL_BLOCKED: toolError,
  WDR_GUARDRAIL_UNAVAILABLE: toolError,
  WDR_FLOW_BLOCKED: toolError,
  WDR_APPROVAL_REQUIRED: toolError,
  WDR_APPROVAL_DENIED: toolError,
  WDR_APPROVAL_LIMIT: toolError,
  WDR_APPROVAL_UNAVAILABLE: error(503),
  WDR_CREDENTIAL_MISSING: toolError,
  WDR_LEASE_UNAVAILABLE: error(503),
  WDR_UPSTREAM_TIMEOUT: toolError,
  WDR_UPSTREAM_FAILED: toolError,
  WDR_JOURNAL_FULL: error(503),
  WDR_CALL_CANCELLED: error(200, -32_800),
  WDR_CALL_REVOKED: error(401),
  WDR_CLIENT_TOO_SLOW: error(503),
  WDR_INTERNAL: error(500, -32_603),
} as const satisfies Record<`WDR_${string}`, Telling>;

export type RefusalCode = keyof typeof REFUSALS;

/** What else a refusal knows, for its answer and its record. */
export interface RefusalFacts {
  /** Milliseconds after which trying again may help. */
  readonly retryAfterMs?: number;
  /** The rule that decided. */
  readonly rule?: string;
  readonly findings?: readonly Finding[];
  /** Arguments for the record, where a provider saw in them what must not stand there. */
  readonly recordedArgs?: unknown;
  /** What the flow policy said, where it refused. */
  readonly flowed?: FlowRecord;
  /** Whose token it was that was not accepted, where the record is to say so. */
  readonly holder?: Identified;
  /** Telling of this refusal where it differs from its code's, as a protocol error brings its own. */
  readonly telling?: Telling;
  /** The request's id as JSON text, where the message itself could not be used. */
  readonly idJson?: string;
  /** The approval that the call waits for, or was denied. */
  readonly approval?: string;
  /** A page that the client's person is to open before the next try, where the client can be asked. */
  readonly asked?: UrlRequest;
  /** `data` of the JSON-RPC error, where the protocol asks for some. */
  readonly data?: unknown;
  /** Whether the upstream refused the credential (401), and so did nothing. */
  readonly isUnauthorized?: boolean;
  /** Whether the upstream may have acted: its answer never came. */
  readonly isActUnknown?: boolean;
  /** The journal leaves the record of it by itself. */
  readonly isRecorded?: boolean;
}

/** Why the gateway did not complete a call: expected, recorded, told to the agent in one safe sentence. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly code: RefusalCode,
    /** Safe to show the agent. */
    readonly publicMessage: string,
    /** For the record and `explain` only. */
    readonly internalDetail: string,
    readonly facts: RefusalFacts = {},
  ) {
    // A refusal is expected and tells where it comes from by its code: a stack would cost 50 µs of a flood's each.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`${code}: ${internalDetail}`);
    Error.stackTraceLimit = stackTraceLimit;
  }

  /** HTTP status, JSON-RPC code and form of the answer. */
  get telling(): Telling {
    return this.facts.telling ?? REFUSALS[this.code];
  }
}
