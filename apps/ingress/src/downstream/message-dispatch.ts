import {
  asksForTools,
  type ClientMessage,
  encodeListenEnd,
  ErrorCode,
  header,
  type HeaderMap,
  LEGACY_LATEST,
  LEGACY_VERSIONS,
  type LegacySession,
  LISTEN,
  type Revision,
} from '@warder/mcp-wire';
import { admitMessage } from '../pipeline/admit-message.js';
import type { Call, Operation } from '../pipeline/call.js';
import type { Gateway, Outcome } from '../pipeline/gateway.js';
import { governedCall } from '../pipeline/governed-call.js';
import { listTools } from '../pipeline/list-tools.js';
import { openSession } from '../pipeline/open-session.js';
import { Refusal } from '../pipeline/refusal.js';
import { subscribe } from '../pipeline/subscribe.js';
import { AnswerStream, writeJson } from './answer-stream.js';
import { type Cancellations, cancelKeyOf } from './cancellations.js';
import type { KeepAlive } from './keep-alive.js';
import type { LegacySessions } from './legacy-sessions.js';
import type { Visit } from './mcp-door.js';
import { operationOf, receivedOf } from './operation-of.js';
import { challenged, type Issuer } from './protected-resource.js';
import type { OpenSubscriptions } from './open-subscriptions.js';
import { cancelled, RunningOperation, type RunningOperations } from './running-operations.js';
import { type Listener, SubscriptionStream } from './subscription-stream.js';
import type { UnreadAnswers } from './unread-answers.js';
import { ACCEPTED, type WrittenAnswer, writeOutcome, writeRefusal } from './written-answer.js';

export interface DispatchParts {
  readonly gateway: Gateway;
  readonly sessions: LegacySessions;
  readonly running: RunningOperations;
  readonly cancellations: Cancellations;
  readonly keepAlive: KeepAlive;
  readonly publicUrl: () => URL;
  readonly issuer: () => Issuer;
  readonly streamBufferBytesMax: number;
  readonly readTimeoutMs: number;
  readonly unread: UnreadAnswers;
  readonly subscriptions: OpenSubscriptions;
  /** Told how each operation ended. */
  readonly onEnded: (call: Call, outcome: Outcome) => void;
}

/** Takes each message to its pipeline and its outcome back to the client. */
export class MessageDispatch {
  constructor(private readonly parts: DispatchParts) {}

  /** Runs the pipeline of a message. @throws Refusal WDR_OVERLOADED before anything of it ran */
  dispatch(visit: Visit, message: ClientMessage): void {
    if (this.parts.running.isFull()) {
      const facts = { retryAfterMs: 1_000, idJson: message.idJson };
      throw new Refusal('WDR_OVERLOADED', 'The gateway is busy, try again in a moment', 'limits.runningMax', facts);
    }
    const session = this.sessionOf(visit, message);
    if (session instanceof Refusal) return this.refuse(visit, session, message);
    const running = new RunningOperation();
    const operation = this.operation(visit, running, message, session);
    const isStream = visit.request.method === 'GET';
    const problem = isStream ? versionProblemOf(message) : problemOf(operation, message);
    if (problem) return this.refuse(visit, problem, message, session);
    if (message.kind === 'notification') return this.notify(visit, operation, message);
    if (message.method === LISTEN) return this.listen(visit, running, operation, message, session);
    this.run(visit, running, operation, message, session);
  }

  /** Refuses a message for a reason of the protocol's, once its sender is known. */
  refuse(visit: Visit, problem: Refusal, message?: ClientMessage, session?: LegacySession): void {
    const operation = this.operation(visit, new RunningOperation(), message, session);
    // A body whose id could not be read is answered under `null`, as JSON-RPC asks.
    const idJson = message?.idJson ?? problem.facts.idJson ?? 'null';
    void admitMessage(operation, this.parts.gateway, problem).then((outcome) => {
      writeJson(visit.response, this.written(visit, idJson, outcome, operation.revision));
      this.parts.onEnded(operation, outcome);
    });
  }

  /** HTTP DELETE of a legacy session. */
  endSession(visit: Visit): void {
    const token = visit.request.headers['mcp-session-id'];
    const sessionToken = typeof token === 'string' ? token.trim() : undefined;
    const session = this.opened(sessionToken, visit.virtualServer);
    if (session instanceof Refusal) return this.refuse(visit, session);
    const operation = this.operation(visit, new RunningOperation(), undefined, session);
    void admitMessage(operation, this.parts.gateway).then((outcome) => {
      const written = this.written(visit, 'null', outcome, operation.revision);
      if (outcome.kind === 'answered') {
        this.parts.sessions.end(session.sessionId);
        this.parts.subscriptions.endOf(sessionToken!, 'session ended');
      }
      writeJson(visit.response, outcome.kind === 'answered' ? { ...written, text: '' } : written);
      this.parts.onEnded(operation, outcome);
    });
  }

  /** HTTP GET: the stream of a legacy session. */
  openStream(visit: Visit): void {
    this.dispatch(visit, streamRequest(visit.request.headers));
  }

  private listen(
    visit: Visit,
    running: RunningOperation,
    operation: Operation,
    message: ClientMessage,
    session: LegacySession | undefined,
  ): void {
    const { gateway, keepAlive, onEnded } = this.parts;
    if (!visit.accepted.eventStream) return this.refuse(visit, onlyStreams(), message, session);
    const listener = session === undefined ? this.modern(message) : this.legacy(visit, operation, session);
    const stream = new SubscriptionStream(visit.response, listener, () => running.giveUp(tooSlow()));
    // The stream is all that there is: a client of either era that closes it wants it no more.
    visit.response.once('close', () => running.giveUp(cancelled('the client closed the connection')));
    keepAlive.add(stream);
    void subscribe(operation, gateway, stream).then((outcome) => {
      keepAlive.remove(stream);
      if (!stream.isOpen && !visit.response.destroyed) {
        writeJson(visit.response, this.written(visit, message.idJson, outcome, operation.revision));
      }
      onEnded(operation, outcome);
    });
  }

  private modern({ idJson, params }: ClientMessage): Listener {
    const { server } = this.parts.gateway.face;
    const lastMessage = (reason: Refusal | undefined) =>
      reason === undefined ? encodeListenEnd(idJson, server) : writeRefusal(idJson, reason, undefined).text;
    return { era: 'modern', idJson, isOfTools: asksForTools(params) === true, lastMessage };
  }

  private legacy({ request }: Visit, { callId, revision }: Operation, session: LegacySession): Listener {
    const lastEventId = header(request.headers, 'last-event-id');
    // SEP-1699, which brought events without a message, came with this revision.
    const isPrimed = revision.protocolVersion >= LEGACY_LATEST;
    const endsAtMs = this.parts.sessions.endsAtMs(session);
    return { era: 'legacy', streamId: callId, lastEventId, isPrimed, endsAtMs };
  }

  private written(visit: Visit, idJson: string, outcome: Outcome, revision: Revision): WrittenAnswer {
    return challenged(writeOutcome(idJson, outcome, revision), this.parts, visit.virtualServer);
  }

  private notify(visit: Visit, operation: Operation, message: ClientMessage): void {
    void admitMessage(operation, this.parts.gateway).then((outcome) => {
      const { principal } = operation as Call;
      if (outcome.kind === 'answered' && principal && message.method === 'notifications/cancelled') {
        this.parts.cancellations.cancel(message, principal.id);
      }
      const isTaken = outcome.kind === 'answered';
      writeJson(visit.response, isTaken ? ACCEPTED : this.written(visit, 'null', outcome, operation.revision));
      this.parts.onEnded(operation, outcome);
    });
  }

  private run(
    visit: Visit,
    running: RunningOperation,
    operation: Operation,
    message: ClientMessage,
    session: LegacySession | undefined,
  ): void {
    const { running: all, keepAlive } = this.parts;
    const stream = this.stream(visit, running, message);
    const onClose = () => running.giveUp(cancelled('the client closed the connection'));
    running.call = operation;
    if (message.sessionToken !== undefined) running.cancelKey = cancelKeyOf(message.sessionToken, message.idJson);
    all.add(running);
    if (stream.wantsStream) keepAlive.add(stream);
    // A legacy client cancels by a message; a connection of its that broke says nothing of what it wants.
    if (message.era === 'modern') visit.response.on('close', onClose);
    void this.pipeline(operation, message, session, stream).then((outcome) => {
      // The answer may wait for its client; what was called and came back need not wait with it.
      visit.response.off('close', onClose);
      all.remove(running);
      if (stream.wantsStream) keepAlive.remove(stream);
      stream.finish(this.written(visit, message.idJson, outcome, operation.revision));
      this.parts.onEnded(operation, outcome);
    });
  }

  private pipeline(
    operation: Operation,
    message: ClientMessage,
    session: LegacySession | undefined,
    stream: AnswerStream,
  ): Promise<Outcome> {
    const { gateway } = this.parts;
    switch (message.method) {
      case 'tools/call':
        return governedCall(receivedOf(operation, message, session, stream.wantsStream), gateway, stream);
      case 'tools/list':
        return listTools(operation, gateway);
      case 'initialize':
      case 'server/discover':
        return openSession(operation, gateway);
      default:
        return admitMessage(operation, gateway);
    }
  }

  private stream(visit: Visit, running: RunningOperation, message: ClientMessage): AnswerStream {
    const { json, eventStream } = visit.accepted;
    return new AnswerStream(visit.response, {
      wantsStream: eventStream && (!json || message.progressToken !== undefined),
      bufferBytesMax: this.parts.streamBufferBytesMax,
      readTimeoutMs: this.parts.readTimeoutMs,
      unread: this.parts.unread,
      onTooSlow: () => running.giveUp(tooSlow()),
    });
  }

  private operation(
    visit: Visit,
    running: RunningOperation,
    message: ClientMessage | undefined,
    session: LegacySession | undefined,
  ): Operation {
    const { virtualServer, bearerToken, address } = visit;
    const { clock } = this.parts.gateway;
    return operationOf({ virtualServer, bearerToken, address, signal: running.signal, clock }, message, session);
  }

  private sessionOf(visit: Visit, message: ClientMessage): LegacySession | Refusal | undefined {
    if (message.era !== 'legacy' || message.method === 'initialize') return undefined;
    return this.opened(message.sessionToken, visit.virtualServer);
  }

  private opened(sessionToken: string | undefined, virtualServer: string): LegacySession | Refusal {
    try {
      return this.parts.sessions.open(sessionToken, virtualServer);
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }
}

/** The GET of a session as the message that a modern client would have sent. */
function streamRequest(headers: HeaderMap): ClientMessage {
  return {
    kind: 'request',
    era: 'legacy',
    protocolVersion: header(headers, 'mcp-protocol-version'),
    idJson: 'null',
    method: LISTEN,
    params: {},
    meta: {},
    progressToken: undefined,
    sessionToken: header(headers, 'mcp-session-id'),
    clientCapabilities: undefined,
    clientInfo: undefined,
    answer: undefined,
  };
}

/** As a message of an unknown legacy revision is told. */
function versionProblemOf({ protocolVersion }: ClientMessage): Refusal | undefined {
  if (protocolVersion === undefined || LEGACY_VERSIONS.has(protocolVersion)) return undefined;
  const text = `Bad Request: Unsupported protocol version (supported: ${[...LEGACY_VERSIONS].join(', ')})`;
  return new Refusal('WDR_MESSAGE_INVALID', text, `MCP-Protocol-Version: ${protocolVersion}`, {
    telling: { as: 'error', status: 400, rpcCode: ErrorCode.legacyServer },
  });
}

function onlyStreams(): Refusal {
  return new Refusal('WDR_ACCEPT_UNSUPPORTED', 'Accept text/event-stream', 'the client takes no event stream');
}

/** What the protocol itself says against a message; undefined: nothing. */
function problemOf(operation: Operation, message: ClientMessage): Refusal | undefined {
  if (message.kind === 'response') {
    const text = 'Invalid Request: no request of this server waits for an answer';
    return new Refusal('WDR_MESSAGE_INVALID', text, 'an answer that nobody asked for');
  }
  const { revision } = operation;
  if (message.kind === 'notification' || revision.methods.has(message.method)) return undefined;
  return new Refusal('WDR_METHOD_UNKNOWN', 'Method not found', `${revision.protocolVersion} or this gateway has none`, {
    telling: { as: 'error', status: revision.unknownMethodStatus, rpcCode: -32_601 },
  });
}

function tooSlow(): Refusal {
  const detail = 'more than limits.streamBufferBytesMax waited for the client';
  return new Refusal('WDR_CLIENT_TOO_SLOW', 'The client reads too slowly', detail, { isActUnknown: true });
}
