import type { ToolDefinition, UpstreamCredential } from '@warder/contracts';

/** What of an AbortSignal is needed; a real one fits, a cheaper one of the caller's does too. */
export interface CallSignal {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** A message of the upstream that came before the result. Its progress token, valid on that hop only, is taken out. */
export interface InterimMessage {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

export interface UpstreamCall {
  /** The upstream's own name of the tool. */
  readonly tool: string;
  readonly args?: Readonly<Record<string, unknown>>;
  /** JSON text of the arguments, if the caller has it: spares a serialisation. It must be what was inspected. */
  readonly argsText?: string;
  /** Goes into `_meta`; protocol keys and the client's progress token are left out. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** The upstream's own, never the caller's bearer token: the same object for as long as it is the same. */
  readonly credential?: UpstreamCredential | undefined;
  /** Not sent on: an upstream is told that its client can do nothing, as long as requests of servers are declined. */
  readonly clientCapabilities?: Readonly<Record<string, unknown>>;
  readonly signal?: CallSignal;
  /** Milliseconds until the call fails with `timeout`, waiting for a connection included. */
  readonly timeoutMs: number;
  /** If given, the upstream is asked for progress. It must not throw. */
  readonly onInterim?: (message: InterimMessage) => void;
}

export interface UpstreamError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What an upstream answered: a result (perhaps an `isError` one) or a JSON-RPC error. */
export type UpstreamAnswer = { readonly result: Record<string, unknown> } | { readonly error: UpstreamError };

/** One MCP server behind the gateway, whatever its era and transport. */
export interface Upstream {
  readonly name: string;
  /**
   * Lists all tools, all pages.
   * @throws UpstreamFailure
   */
  discover(signal?: CallSignal, credential?: UpstreamCredential): Promise<ToolDefinition[]>;
  /**
   * Calls one tool once. A forgotten session is renewed and the call repeated only if the upstream refused it unread.
   * @throws UpstreamFailure
   */
  call(call: UpstreamCall): Promise<UpstreamAnswer>;
  /** Hears that the tools may have changed (told by the upstream, or its list's lifetime is over). Returns its undoing. */
  onListChanged(listener: () => void): () => void;
  /** Ends what stands open under a credential without a call: it was revoked, or another has come. */
  forgetCredentials(): void;
  /**
   * A credential is good no more. What was connected with it is cut at once, calls that run there included, and nothing is
   * connected with it again.
   */
  endCredential(credential: UpstreamCredential): void;
  /** Ends connections and children; calls that still run fail with `cancelled`. */
  close(): Promise<void>;
}

/** The bounds of one upstream. */
export interface UpstreamBounds {
  /** Longest answer or event, bytes. */
  readonly answerBytesMax: number;
  /** Levels of nesting of an answer. */
  readonly depthMax: number;
  /** Messages before the result of one call. */
  readonly interimMessagesMax: number;
  /** Connections, or calls at a time of a child. */
  readonly concurrencyMax: number;
  /** Milliseconds for the handshake, and for each page of a list. */
  readonly handshakeTimeoutMs: number;
  readonly connectTimeoutMs: number;
  /** Milliseconds a child may take to answer the probe of its era before it counts as legacy. */
  readonly probeTimeoutMs: number;
  /** Legacy sessions at a time, one per credential. */
  readonly sessionsMax: number;
  /** Client certificates at a time, each with connections of its own. */
  readonly certificatesMax: number;
  readonly toolsMax: number;
  /** Connection failures in a row after which calls fail at once, and for how many milliseconds. */
  readonly breakerFailures: number;
  readonly breakerOpenMs: number;
  /** Milliseconds between a child's exit and its restart: at first, and at most. */
  readonly restartDelayMs: number;
  readonly restartDelayMaxMs: number;
  /** Milliseconds a child may take to leave before it is killed. */
  readonly exitGraceMs: number;
}

export const UPSTREAM_BOUNDS: UpstreamBounds = {
  answerBytesMax: 8 * 1024 * 1024,
  depthMax: 64,
  interimMessagesMax: 10_000,
  concurrencyMax: 128,
  handshakeTimeoutMs: 10_000,
  connectTimeoutMs: 5_000,
  probeTimeoutMs: 5_000,
  sessionsMax: 1_000,
  certificatesMax: 256,
  toolsMax: 10_000,
  breakerFailures: 5,
  breakerOpenMs: 3_000,
  restartDelayMs: 200,
  restartDelayMaxMs: 30_000,
  exitGraceMs: 2_000,
};
