/** What the pipelines need of the process around them, as ports: everything impure comes in here. */
import type { AskedProvider, Decision, ProviderUses, ToolApproval } from '@warder/access';
import type { ExposedTool, VisibleTools } from '@warder/catalog';
import type {
  ApprovalTerms,
  CallLimit,
  CaptureLevel,
  Finding,
  FlowSettings,
  GuardrailActions,
  ProviderRecord,
  UpstreamCredential,
  VirtualServer,
} from '@warder/contracts';
import type { Actions, ActionScope, BothActions, BothWords, Screening } from '@warder/detectors';
import type { Revision, ServerFace } from '@warder/mcp-wire';
import type { Asked, GiveUp, ProviderAnswer } from '@warder/guardrail-providers';
import type { FlowDecision, FlowSource } from '@warder/flow';
import type { FoundRun } from '../flow/run-store.js';
import type { CredentialLease } from '../leases/lease-transport.js';
import type { Callers } from '@warder/tokens';
import type {
  AdmittedOperation,
  Call,
  Cleared,
  Credentialed,
  IdentifiedOperation,
  Permitted,
  Recorded,
  UpstreamAnswer,
} from './call.js';
import type { CallSignal } from './call-signal.js';
import type { Refusal } from './refusal.js';

export interface Tokens {
  /**
   * @param virtualServer - that is asked: an OAuth token is for one of them
   * @param nowMs - wall milliseconds
   * @param address - of the client, as the door sees it
   */
  examine(bearerToken: string, virtualServer: string, nowMs: number, address: string): ReturnType<Callers['examine']>;
  /** Whose token it is, though it may not be accepted; for the record alone. */
  holderOf(bearerToken: string): ReturnType<Callers['holderOf']>;
  /** Whether identity has been silent for so long that a revocation may have been missed. */
  isStale(nowMs: number): boolean;
}
export interface Quotas {
  /** @returns calls left (0 and up), or, where the bucket is empty, minus the milliseconds until the next one */
  take(principalId: string, limit: CallLimit, nowMs: number): number;
}
/** One compiled policy over the catalogues of one moment; a call uses one and the same throughout. */
export interface PolicyView {
  readonly version: number;
  readonly limit: CallLimit;
  hasVirtualServer(virtualServer: string): boolean;
  resolve(virtualServer: string, exposedName: string): ExposedTool | undefined;
  /** The tool that would be behind an exposed name, were its definition accepted; for the record alone. */
  hiddenTool(virtualServer: string, exposedName: string): ExposedTool | undefined;
  authorize(caller: IdentifiedOperation, target: ExposedTool): Decision;
  visibleTools(virtualServer: string, caller: IdentifiedOperation): VisibleTools | undefined;
  guardrails(virtualServer: string): VirtualServer['guardrails'];
  /** Whether each call of a tool waits for a human, and on which terms a hold is lifted. */
  approval(virtualServer: string, target: ExposedTool): ToolApproval;
  /** How much records keep of arguments and result: of a tool, or of what names none. */
  capture(virtualServer: string, target?: ExposedTool): CaptureLevel;
  /** What the flow policy knows of a tool in a virtual server. */
  flow(virtualServer: string, target: ExposedTool): FlowOfTool;
  /** Guardrail providers that are asked about a tool's calls; `NO_PROVIDERS` where there are none. */
  providers(virtualServer: string, target: ExposedTool): ProviderUses;
  /** Upstreams of a virtual server; none where there is no such server. */
  upstreamsOf(virtualServer: string): readonly string[];
  /** Milliseconds one call of the upstream may take. */
  timeoutMs(upstream: string): number;
}
/** Labels of a tool, as bits, and how its virtual server decides. */
export interface FlowOfTool {
  readonly bits: number;
  readonly settings: FlowSettings & { readonly mode: NonNullable<FlowSettings['mode']> };
  /** Whether the virtual server exposes anything that may be held. */
  readonly hasSinks: boolean;
}
export interface Flow {
  /** @param nowMs - monotonic */
  find(call: Permitted, tool: FlowOfTool, nowMs: number): FoundRun;
  decide(found: FoundRun, tool: FlowOfTool, args: unknown): FlowDecision;
  /** Notes what an answer brought, here at once, on other nodes a little later. */
  observe(found: FoundRun, source: FlowSource, tool: FlowOfTool, answer: unknown): void;
}
export interface Guardrails {
  /** Grows with every change of a rule pack. */
  readonly version: number;
  screen(value: unknown, phase: 'request' | 'interim' | 'response', actions: GuardrailActions | Actions): Screening;
  /** What becomes of findings in a tool of a virtual server, for whoever is in these groups. */
  actionsFor(words: BothWords, scope: ActionScope): BothActions;
}
export interface Providers {
  /** Asks one provider; never throws and takes no longer than the provider's deadline. */
  ask(provider: AskedProvider, asked: Asked, signal: GiveUp): Promise<ProviderAnswer>;
  /** Tells people what was found after a call had gone on. */
  toldAfter(record: ProviderRecord, callId: string): void;
}
/** What becomes of a call that something holds. */
export type ApprovalFound =
  | { readonly status: 'redeemed'; readonly id: string }
  /** Where people decide, and by when; wall milliseconds. */
  | { readonly status: 'pending'; readonly id: string; readonly url: string; readonly expiresAtMs: number }
  | { readonly status: 'denied'; readonly id: string; readonly reason: string }
  | { readonly status: 'limit' }
  /** Whoever keeps approvals did not say in time: nothing is known to be approved. */
  | { readonly status: 'unavailable'; readonly detail: string };
export interface Approvals {
  /** Uses up the approval of exactly this call, or has people asked for one; waits for its owner, for so long and no longer. */
  redeem(call: Credentialed, terms: ApprovalTerms): Promise<ApprovalFound>;
}
export interface Leases {
  /** The credential for the upstream; a promise only where it has to be fetched first. */
  credentialFor(upstream: string, principalId: string, signal: CallSignal): CredentialLease | Promise<CredentialLease>;
  /** Another one than that which the upstream refused (401), where there is one or can be had. */
  afterRefusal(
    upstream: string,
    principalId: string,
    refused: UpstreamCredential,
    signal: CallSignal,
  ): Promise<UpstreamCredential | undefined>;
  /** Has the credential fetched before a call needs it. */
  prefetch(upstream: string, principalId: string): void;
}

/** A message of an upstream that came before its answer. */
export interface InterimMessage {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}
export interface Upstreams {
  /** How often an upstream's list of tools changed on this node, or it said so. */
  listChanges(upstream: string): number;
  send(call: Recorded, timeoutMs: number, onInterim: (message: InterimMessage) => void): Promise<UpstreamAnswer>;
}
export interface Journal {
  /**
   * Writes the intent; resolves with its sequence once it is written.
   * @throws Refusal WDR_JOURNAL_FULL
   */
  open(call: Cleared): Promise<number>;
  /** Leaves the one final record. Never refuses for want of space once `open` succeeded. */
  close(call: Call, outcome: Outcome): Promise<void>;
}
export interface Downstream {
  /** Sends one JSON-RPC message, as JSON text, ahead of the answer. */
  send(messageText: string): void;
}
/** A list as it goes down. */
export interface ListedTools {
  /** JSON text of the tools/list result. */
  readonly text: string;
  /** Of the text; the same list has the same one on every node: 22 characters of Base64url. */
  readonly digest: string;
  /** What guardrails saw in the definitions, which are an upstream's bytes like any other. */
  readonly findings: readonly Finding[];
  /** Tools that are left out, for a guardrail blocks their definition. */
  readonly withheld: number;
}
export interface Lists {
  /** A view in a revision's form, screened; ready-made: the same view under the same rules gives the same bytes. */
  listOf(view: VisibleTools, revision: Revision, guardrails: Guardrails, actions: GuardrailActions): ListedTools;
}
export interface Sessions {
  /** A sealed session id for a client that has just said `initialize`. */
  start(call: IdentifiedOperation): string;
}

/** A client's stream of changes. */
export interface ChangeStream {
  /** The list that the client knows, as it says itself; undefined: the one that there is now. */
  readonly knownDigest: string | undefined;
  /** Opens it, with what comes first. @param digest - of the list that the client knows from now on */
  open(digest: string): void;
  /** Wall milliseconds at which it is over in good order. */
  readonly endsAtMs: number;
  /** Says once that there is another list. @returns whether the client asked to hear of it */
  changed(digest: string): boolean;
  /** Ends it; where `reason` is none, in good order. */
  end(reason: Refusal | undefined): void;
}
/** The place of one stream among those of the node. */
export interface Subscription {
  /** Opens the stream and tells of changes until it is over. @returns why it is over, and how often it told */
  follow(): Promise<SubscriptionEnd>;
  /** Gives the place back once `record` has succeeded, however often that has to be tried. */
  leave(record?: () => Promise<void>): Promise<void>;
}
export interface SubscriptionEnd {
  /** Why, where it did not end in good order. */
  readonly refusal?: Refusal;
  readonly why: 'client closed' | 'session ended' | 'replaced' | 'draining' | 'cut';
  readonly notifications: number;
}
export interface Subscriptions {
  /**
   * Takes a place.
   * @param listed - digest of the list that the caller may see now; throws once they are let in no more
   * @throws Refusal WDR_SUBSCRIPTION_LIMIT for one principal's bound, WDR_OVERLOADED for the node's
   */
  enter(call: AdmittedOperation, stream: ChangeStream, listed: () => string | undefined): Subscription;
}

export interface Gateway {
  readonly tokens: Tokens;
  readonly quotas: Quotas;
  /** @throws Refusal WDR_STATE_NOT_READY before the first policy */
  readonly policy: () => PolicyView;
  readonly guardrails: () => Guardrails;
  readonly providers: Providers;
  readonly flow: Flow;
  readonly leases: Leases;
  readonly approvals: Approvals;
  readonly upstreams: Upstreams;
  readonly journal: Journal;
  readonly lists: Lists;
  readonly sessions: Sessions;
  readonly subscriptions: Subscriptions;
  readonly face: ServerFace;
  readonly clock: { wallMs(): number; monotonicMs(): number };
}

export type Outcome =
  | {
      readonly kind: 'answered';
      /** JSON text of `result` or of `error`. */
      readonly text: string;
      readonly member: 'result' | 'error';
      /** The upstream said `isError: true`, or answered a JSON-RPC error. */
      readonly isError: boolean;
      /** JSON text for the record where it is not `text`; `null`: nothing. */
      readonly recordText?: string | null;
      readonly sessionToken?: string;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly error: unknown; readonly refusal: Refusal };
