import type { KeyObject } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DynamicModule } from '@nestjs/common';
import type { Bus } from '@warder/bus';
import type { Logger, Metrics } from '@warder/telemetry';
import type { z } from 'zod';
import type { BrokerAccess } from './bus-of-settings.js';
import type { Clock } from './clock.js';
import type { Door } from './door.js';
import type { Enrolment } from './enrolment/enrolment.js';
import type { ErrorAnswer } from './error-answer.js';
import type { HostSettings } from './host-settings.js';
import type { SideDoor } from './side-door.js';

/** Answers a request before Nest and Fastify see it. */
export type RawHandler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * True when well; false, or a sentence for the operator, when not. `degraded` is a sentence too, of a process that
 * still does its work: it must not be taken out of service for what would take every one of its kind out at once.
 */
export type HealthCheck = () => boolean | string | { readonly degraded: string };

/** A request for a controller that was answered with an error, wherever it was refused: before its body, by it, after it. */
export interface RequestRefused {
  readonly request: IncomingMessage;
  /** As the router knows it, such as `/admin/policy/:id`; null where it knows none for the path. */
  readonly route: string | null;
  readonly answer: ErrorAnswer;
  readonly thrown: unknown;
}

/** What a process gives to the services that run in it. */
export interface Host {
  readonly service: string;
  readonly node: string;
  readonly bus: Bus;
  /** The broker behind `bus`; undefined where the bus is of this process. */
  readonly broker: BrokerAccess | undefined;
  /** By which this process is known on the bus; undefined of the registrar, and where the bus is of this process. */
  readonly enrolment: Enrolment | undefined;
  /** Ed25519, private: signs the heads of this process's audit logs; undefined where none is configured. */
  readonly signingKey: KeyObject | undefined;
  /** Public halves of a service's keys, any of which may have signed what it says; none where none is configured. */
  readonly publicKeysOf: (service: string) => readonly KeyObject[];
  readonly clock: Clock;
  /** What the admin doors ask of those who change something there. */
  readonly adminRules: HostSettings['admin'];
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly door: Door;
  /** Fires when the process starts to drain, before it waits for running requests: open streams end on it. */
  readonly draining: AbortSignal;
  /** `/readyz` is 200 while all of these are well or degraded. */
  readiness(name: string, check: HealthCheck): void;
  /** `/healthz` is 200 while all of these are well; an orchestrator restarts the process when not. */
  liveness(name: string, check: HealthCheck): void;
  /** Runs at shutdown, last registered first, after running requests have ended. */
  onDrain(name: string, drain: () => Promise<void>): void;
  /** Asked before the body of a request to a controller is read; throws an AdminError to have it refused unread. */
  beforeBody(judge: (request: IncomingMessage) => void): void;
  /** Tells of every request for a controller that is refused, once its answer is sent. `tell` must not throw. */
  onRefusal(tell: (refused: RequestRefused) => void): void;
  /** Has another protocol spoken under the prefix (whole path segments) than at the admin doors. */
  sideDoor(prefix: string, door: SideDoor): void;
  /** Hands every request under the prefix (a whole path segment) to `handler`; the hot path. */
  mountRaw(prefix: string, handler: RawHandler): void;
  /** Where other services reach what is mounted inside; undefined where the process has no internal listener. */
  readonly internalUrl: string | undefined;
  /** Hands requests of other services to `handler`: it has a listener of its own and is never behind the door. */
  mountInternal(prefix: string, handler: RawHandler): void;
}

/** A service of the design's section 2. `config` is strict and holds only the service's own keys. */
export interface Service<Config> {
  readonly name: string;
  readonly config: z.ZodType<Config>;
  module(config: Config, host: Host): DynamicModule;
}
