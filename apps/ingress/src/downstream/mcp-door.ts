import type { IncomingMessage, ServerResponse } from 'node:http';
import { header, MODERN_LATEST, parseClientMessage, type ProtocolError } from '@warder/mcp-wire';
import { lingerBeforeClose } from '@warder/service-host';
import type { Gateway } from '../pipeline/gateway.js';
import { asOutcome } from '../pipeline/outcome.js';
import { Refusal } from '../pipeline/refusal.js';
import { notAccepted } from '../pipeline/steps/identify-caller.js';
import { unknownServer } from '../pipeline/unknown-server.js';
import type { RefusalCounter } from '../record/refusal-counter.js';
import type { AddressLimit } from './address-limit.js';
import { writeJson } from './answer-stream.js';
import { type BodyReader, tooLarge } from './body-reader.js';
import type { MessageDispatch } from './message-dispatch.js';
import { challenged, type Issuer } from './protected-resource.js';
import {
  type Accepted,
  acceptedOf,
  announcedLength,
  bearerOf,
  type PublicOrigin,
  streamAcceptedOf,
  virtualServerOf,
} from './request-checks.js';
import { writeRefusal } from './written-answer.js';

export interface DoorParts {
  readonly gateway: Gateway;
  readonly origin: PublicOrigin;
  readonly publicUrl: () => URL;
  readonly issuer: () => Issuer;
  readonly addresses: AddressLimit;
  readonly bodies: BodyReader;
  readonly counter: RefusalCounter;
  readonly dispatch: MessageDispatch;
  readonly clientAddress: (request: IncomingMessage) => string;
  readonly limits: { readonly bodyBytesMax: number; readonly strangerBodyBytesMax: number };
  /** Told about what should not happen. */
  readonly onBug: (error: unknown) => void;
}

const NOT_THERE = 'no virtual server has this name';

/** A request that passed the door. */
export interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly address: string;
  readonly virtualServer: string;
  readonly bearerToken: string;
  readonly accepted: Accepted;
}

/**
 * The agents' door: proves what can be proved before a byte of the body is read, cheapest first. What it refuses is
 * counted, never recorded one by one, for nobody has been identified yet.
 */
export class McpDoor {
  constructor(private readonly parts: DoorParts) {}

  /** Takes one HTTP request of `/mcp`. Never throws. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const address = this.parts.clientAddress(request);
    try {
      this.admit(request, response, address);
    } catch (error) {
      this.turnAway(request, response, address, error);
    }
  };

  private admit(request: IncomingMessage, response: ServerResponse, address: string): void {
    const { origin, addresses, gateway, limits, dispatch } = this.parts;
    origin.check(request);
    addresses.take(address, gateway.clock.monotonicMs());
    const { method } = request;
    // A modern client subscribes by a message.
    const isStream = method === 'GET' && header(request.headers, 'mcp-protocol-version') !== MODERN_LATEST;
    if (method !== 'POST' && method !== 'DELETE' && !isStream) {
      throw new Refusal('WDR_METHOD_NOT_ALLOWED', 'POST a message, or DELETE a session', `HTTP method ${method}`);
    }
    const bearerToken = bearerOf(request);
    const virtualServer = virtualServerOf(request.url ?? '') ?? '';
    const visit = { request, response, address, virtualServer, bearerToken };
    if (method === 'DELETE') {
      const ending = { ...visit, accepted: { json: true, eventStream: false } };
      return this.isServed(visit) ? dispatch.endSession(ending) : dispatch.refuse(ending, unknownServer(NOT_THERE));
    }
    if (isStream) {
      const asking = { ...visit, accepted: streamAcceptedOf(request) };
      return this.isServed(visit) ? dispatch.openStream(asking) : dispatch.refuse(asking, unknownServer(NOT_THERE));
    }
    const accepted = acceptedOf(request);
    const length = announcedLength(request) ?? Infinity;
    // Whoever wants us to hold much must be somebody; small bodies are read first and their sender asked once, later.
    if (length > limits.strangerBodyBytesMax) this.ensureKnown(visit);
    if (length > limits.bodyBytesMax && length !== Infinity) throw tooLarge(limits.bodyBytesMax);
    this.readBody({ ...visit, accepted });
  }

  private readBody(visit: Visit): void {
    const { bodies, dispatch } = this.parts;
    bodies.read(visit.request, (body) => {
      try {
        if (body instanceof Refusal) throw body;
        if (!this.isServed(visit)) return dispatch.refuse(visit, unknownServer(NOT_THERE));
        const message = parseClientMessage(body, visit.request.headers);
        if (message.kind === 'error') dispatch.refuse(visit, refusalOf(message));
        else dispatch.dispatch(visit, message);
      } catch (error) {
        this.turnAway(visit.request, visit.response, visit.address, error);
      }
    });
  }

  /**
   * Whether the virtual server is there. Asked only when a request for one that is there would be read too; a refusal
   * then names its caller on record, and a stranger is told what every stranger is: nothing of which servers there are,
   * not even how long an answer takes.
   */
  private isServed({ virtualServer }: Pick<Visit, 'virtualServer'>): boolean {
    return this.parts.gateway.policy().hasVirtualServer(virtualServer);
  }

  /** @throws Refusal WDR_TOKEN_UNKNOWN */
  private ensureKnown({ bearerToken, virtualServer, address }: Omit<Visit, 'accepted'>): void {
    const { tokens, clock } = this.parts.gateway;
    const found = tokens.examine(bearerToken, virtualServer, clock.wallMs(), address);
    if (typeof found === 'string') throw notAccepted(found, bearerToken, tokens);
  }

  private turnAway(request: IncomingMessage, response: ServerResponse, address: string, error: unknown): void {
    const outcome = asOutcome(error);
    if (outcome.kind === 'answered' || response.headersSent) return;
    if (outcome.kind === 'failed') this.parts.onBug(error);
    const { refusal } = outcome;
    this.parts.counter.count(refusal.code, address, refusal.internalDetail, refusal.facts.holder);
    const refused = writeRefusal(refusal.facts.idJson ?? 'null', refusal, undefined);
    const written = challenged(refused, this.parts, virtualServerOf(request.url ?? '') ?? '');
    const isMuchLeft =
      !request.complete && (announcedLength(request) ?? Infinity) > this.parts.limits.strangerBodyBytesMax;
    // Reading on until a stranger's large body ends would be a gift; a known caller's is read and thrown away.
    const isStranger = refusal.code !== 'WDR_BODY_TOO_LARGE';
    if (!isMuchLeft || !isStranger) return writeJson(response, written);
    lingerBeforeClose(request);
    writeJson(response, { ...written, headers: { ...written.headers, connection: 'close' } });
  }
}

/** A protocol error as a refusal: it brings its own status and code. */
function refusalOf(error: ProtocolError): Refusal {
  return new Refusal('WDR_MESSAGE_INVALID', error.message, error.message, {
    telling: { as: 'error', status: error.status, rpcCode: error.code },
    idJson: error.idJson,
    ...(error.data === undefined ? {} : { data: error.data }),
  });
}
