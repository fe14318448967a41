/**
 * What is known of one governed operation, in the order in which it becomes known.
 * Each stage names the facts that must be there; a step takes the stage before it and returns exactly the
 * facts that it adds, so a path that reaches an upstream without a decision does not compile.
 */
import type { Decision } from '@warder/access';
import type { ExposedTool, VisibleTools } from '@warder/catalog';
import type {
  CaptureLevel,
  Finding,
  FlowRecord,
  Hold,
  PrincipalState,
  ProviderRecord,
  UpstreamCredential,
} from '@warder/contracts';
import type { BothActions } from '@warder/detectors';
import type { ProgressToken, Revision } from '@warder/mcp-wire';
import type { Credential } from '@warder/tokens';
import type { FoundRun } from '../flow/run-store.js';
import type { CallSignal } from './call-signal.js';
import type { FlowOfTool } from './gateway.js';
import type { Phase, PhaseClock } from './phase-clock.js';

/** Any operation as it came in: parsed once, bounds checked, nothing believed yet. */
export interface Operation {
  /** UUIDv7; the record's id. */
  readonly callId: string;
  readonly method: string;
  readonly virtualServer: string;
  readonly bearerToken: string;
  /** Whose session the request names; undefined where it names none, as in the modern era. */
  readonly sessionPrincipalId: string | undefined;
  /** Legacy session that the request names, where it names one; a name and no proof of anything. */
  readonly sessionId: string | undefined;
  /** Wall milliseconds. */
  readonly receivedAtMs: number;
  /** The client's address as the host sees it through its trusted proxies. */
  readonly address: string;
  readonly traceId: string | null;
  /** How answers are written; the revision that this request speaks. */
  readonly revision: Revision;
  /** What the client says of itself; for the record only. */
  readonly claimed: { readonly name: string; readonly version: string } | null;
  /** What a legacy `initialize` said of its client, to be carried by the session id. */
  readonly greeted: Greeted | undefined;
  /** Fires, with a Refusal as its reason, when the client closes, the deadline passes, or principal or token is revoked. */
  readonly signal: CallSignal;
  readonly phases: PhaseClock;
  /** What guardrails saw so far, whatever becomes of the call. */
  readonly findings: Finding[];
  /** Why it waits for a human; empty for nearly every call. Any step before `redeemApproval` may add to it. */
  readonly holds: Hold[];
  /** What guardrail providers said; undefined until one is asked, as for most calls. */
  said?: ProviderRecord[];
}

export interface Greeted {
  readonly clientInfo: Readonly<Record<string, unknown>>;
  readonly capabilities: Readonly<Record<string, unknown>>;
}

/** A call of a tool as it came in. */
export interface Received extends Operation {
  readonly exposedName: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** `_meta` of the request, with the members that are valid on the client's hop only. */
  readonly meta: Readonly<Record<string, unknown>>;
  readonly clientCapabilities: Readonly<Record<string, unknown>>;
  readonly progressToken: ProgressToken | undefined;
  /** Whether the client was asked to have a page opened, and comes back. */
  readonly wasAskedToOpen: boolean;
}

export type IdentifiedOperation = Operation & { readonly principal: PrincipalState; readonly token: Credential };
export type AdmittedOperation = IdentifiedOperation & {
  readonly callsLeft: number;
  readonly policyVersion: number;
  /** How much the record keeps of arguments and result. */
  readonly capture: CaptureLevel;
};
/** `guardrailsVersion`: of the rules that look at it. */
export type Listed = AdmittedOperation & { readonly view: VisibleTools; readonly guardrailsVersion: number };

export type Identified = Received & IdentifiedOperation;
export type Admitted = Received & AdmittedOperation;
export type Resolved = Admitted & {
  readonly target: ExposedTool;
  /** What to do with findings, as the matrix of the rules and the virtual server say. */
  readonly screening: BothActions;
  /** Of the rules by which they are found. */
  readonly guardrailsVersion: number;
};
export type Permitted = Resolved & { readonly permit: Decision };
/** What the flow policy knows of the tool, and which run the call belongs to; no run where the policy is off. */
export type Traced = Permitted & { readonly flow: FlowOfTool; readonly run: FoundRun | undefined };
export type Screened = Traced & {
  readonly cleanArgs: Readonly<Record<string, unknown>>;
  /** JSON text of `cleanArgs`, written once: the record and the upstream get the same bytes. */
  readonly argsText: string;
  /** What of `_meta` is sent on: screened, without the members of the client's hop. */
  readonly cleanMeta: Readonly<Record<string, unknown>>;
};
/** What the flow policy said of the call, null where nothing. */
export type Flowed = Screened & { readonly flowed: FlowRecord | null };
export type Credentialed = Flowed & {
  /** Null: the upstream is called without one. */
  readonly upstreamCredential: UpstreamCredential | null;
};
/** Nothing holds the call, or a human approved of it. */
export type Cleared = Credentialed & {
  /** The approval that this call used up; null where nothing held it. */
  readonly approval: { readonly id: string } | null;
};
export type Recorded = Cleared & { readonly recordSequence: number };
export type Answered = Recorded & { readonly answer: UpstreamAnswer };
export type Released = Answered & {
  /** The answer as it goes down, written from the screened value and never from the upstream's bytes. */
  readonly released: {
    readonly text: string;
    readonly member: 'result' | 'error';
    readonly isError: boolean;
    /** What `text` was written from. */
    readonly value: unknown;
    /** Without what the gateway says in front of it, to which places of findings do not point. */
    readonly recordText?: string;
  };
};

/** What an upstream answered: a result, or a JSON-RPC error. */
export type UpstreamAnswer =
  | { readonly result: Readonly<Record<string, unknown>>; readonly error?: undefined }
  | {
      readonly error: { readonly code: number; readonly message: string; readonly data?: unknown };
      readonly result?: undefined;
    };

/** An operation at any moment: what came in, and whatever has become known of it. The record is made from this. */
export type Call = Operation & Partial<Released> & Partial<Pick<Listed, 'view'>>;

/**
 * Adds what a step found out and stamps its phase. The one cast of the pipeline: it says that the facts now stand on
 * the call.
 */
export function establish<Known extends Operation, Found extends object>(
  call: Known,
  phase: Phase,
  found: Found,
): asserts call is Known & Found {
  Object.assign(call, found);
  call.phases.end(phase);
}
