import type { KeyObject } from 'node:crypto';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import type { DynamicModule, INestApplication } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { Bus } from '@warder/bus';
import { createLogger, Metrics, type Logger } from '@warder/telemetry';
import { asItCame, forgetTypeOfNothing, readAs } from './body-type.js';
import { measureBus } from './bus-metrics.js';
import { brokerAccessOf, busOfSettings, readPublicKeys, signingKeyOf } from './bus-of-settings.js';
import { systemClock, type Clock } from './clock.js';
import { ConfigError } from './config-error.js';
import { createDoor, createInsiders, isLoopback } from './door.js';
import { Drains } from './drains.js';
import { Entries, type Entry } from './entries.js';
import { createErrorFilter, PATH_UNKNOWN } from './error-answer.js';
import { Health } from './health.js';
import { plainHttpRefusal, type HostSettings } from './host-settings.js';
import { bind, createListener } from './listener.js';
import { nestLogger } from './nest-logger.js';
import { checkHead, namesUs } from './request-head.js';
import { answerJson, RequestGate } from './request-gate.js';
import { securityHeaders } from './security-headers.js';
import type { Host, RequestRefused } from './service.js';
import { SideDoors } from './side-door.js';

export interface HostOptions {
  /** Name of the process: the service, or `standalone`. */
  service: string;
  settings: HostSettings;
  /** Given a `Host` per service name; called once the listener is bound, so that the public URL is known. */
  module(hostFor: (service: string) => Host): DynamicModule;
  bus?: Bus;
  /** Taken instead of the one that `bus.signing` names. */
  signingKey?: KeyObject;
  log?: Logger;
  clock?: Clock;
}

export interface RunningHost {
  readonly app: INestApplication;
  /** Where the listener is bound. */
  readonly url: string;
  readonly bus: Bus;
  readonly log: Logger;
  hostFor(service: string): Host;
  /** Every way in over HTTP. */
  entries(): readonly Entry[];
  /** Drains and closes everything; once. */
  stop(): Promise<void>;
}

/**
 * Starts a process of Warder: binds first (a taken port costs nothing else), answers health at once and 503 for the
 * rest, then builds the modules and opens the door.
 * @throws ConfigError for settings that cannot be used
 */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  const { service, settings } = options;
  const refusal = plainHttpRefusal(settings);
  if (refusal !== undefined) throw new ConfigError(refusal);
  const node = settings.node ?? service;
  const log = options.log ?? createLogger(service, { level: settings.log.level, node });
  const clock = options.clock ?? systemClock;
  const parts = new HostParts(log);
  const server = createListener(settings, parts.gate.onRequest);
  const url = urlOf(settings.listen.host, await bind(server, settings.listen), settings.tls !== undefined);
  const internal = await openInternal(settings, parts.internal);
  const own = options.bus ? undefined : busOfSettings(settings.bus, { node, service, log, clock });
  const { bus, signing } = own ?? { bus: options.bus!, signing: undefined };
  const broker = options.bus === undefined ? brokerAccessOf(settings.bus) : undefined;
  // Only a new process helps a consumer that is stuck; one that waits for its broker or its store is not.
  parts.alive.add('bus', () => bus.stuck() ?? true);
  const stopMeasuring = measureBus(bus, parts.metrics, log);
  const signingKey = options.signingKey ?? signingKeyOf(settings.bus);
  const publicKeysOf = readPublicKeys(settings.bus, options.signingKey);
  // One object: it is asked for on every call.
  const publicUrl = new URL(settings.publicUrl ?? url);
  const door = createDoor(() => publicUrl, settings.trustedProxies);
  const isInsider = createInsiders(settings.trustedProxies);
  // A browser of this machine is near too, and a page may have lured it here under a name of its own.
  parts.mountHealth((request) => {
    const address = door.clientAddress(request);
    return isInsider(address) && (!isLoopback(address) || namesUs(request.headers.host, publicUrl));
  });
  const { admin: adminRules } = settings;
  const { enrolment } = signing ?? {};
  const process = { service, node, bus, broker, enrolment, signingKey, publicKeysOf, internalUrl: internal?.url };
  const shared: Shared = { ...process, clock, adminRules, door, log };
  const hostFor = (name: string): Host => parts.hostOf(name, shared);
  const close = async () => {
    stopMeasuring();
    await signing?.stop();
    await own?.bus.close();
    server.closeAllConnections();
    // After the drains: a call that was let in may have asked through it.
    internal?.server.close();
    internal?.server.closeAllConnections();
  };
  try {
    const app = await createApp(options.module(hostFor), server, parts, { settings, publicUrl });
    return {
      app,
      url,
      bus,
      log,
      hostFor,
      entries: () => parts.entries.all(),
      stop: once(() => parts.stop(server, app, settings.bounds.drainTimeoutMs, close)),
    };
  } catch (error) {
    server.close();
    await parts.drains.run(settings.bounds.drainTimeoutMs, log);
    await close();
    throw error;
  }
}

/** What every service of the process is given alike. */
type Shared = Pick<
  Host,
  | 'node'
  | 'bus'
  | 'broker'
  | 'enrolment'
  | 'signingKey'
  | 'publicKeysOf'
  | 'clock'
  | 'adminRules'
  | 'door'
  | 'log'
  | 'internalUrl'
> & {
  /** Name of the process. */
  readonly service: string;
};

/** What belongs to the process and not to one service. */
class HostParts {
  readonly gate: RequestGate;
  readonly internal: RequestGate;
  readonly entries: Entries;
  readonly ready = new Health();
  readonly alive = new Health();
  readonly drains = new Drains();
  readonly metrics = new Metrics();
  readonly draining = new AbortController();
  readonly sideDoors = new SideDoors();
  readonly bodyJudges: ((request: IncomingMessage) => void)[] = [];
  readonly refusalListeners: ((refused: RequestRefused) => void)[] = [];
  private isOpen = false;

  constructor(readonly log: Logger) {
    this.gate = new RequestGate(log);
    this.internal = new RequestGate(log);
    this.entries = new Entries(this.gate, this.internal);
    this.internal.openTo((_, response) => answerPathUnknown(response));
    this.metrics.collectProcess();
    this.ready.add('process', () => (this.draining.signal.aborted ? 'draining' : this.isOpen || 'starting'));
  }

  hostOf(name: string, { service, ...shared }: Shared): Host {
    this.drains.rankOf(name);
    const isWhole = name === service;
    return {
      ...shared,
      service: name,
      log: isWhole ? this.log : this.log.child({ service: name }),
      metrics: this.metrics,
      draining: this.draining.signal,
      readiness: (check, ask) => this.ready.add(isWhole ? check : `${name}.${check}`, ask),
      liveness: (check, ask) => this.alive.add(isWhole ? check : `${name}.${check}`, ask),
      onDrain: (drain, run) => this.drains.add(name, drain, run),
      beforeBody: (judge) => void this.bodyJudges.push(judge),
      onRefusal: (tell) => void this.refusalListeners.push(tell),
      sideDoor: (prefix, sideDoor) => this.sideDoors.open(prefix, sideDoor),
      mountRaw: (prefix, handler) => this.gate.mount(prefix, handler),
      mountInternal: (prefix, handler) => this.internal.mount(prefix, handler),
    };
  }

  /** Whether it lives and is ready is for everybody; what fails, and the figures, for those who are near. */
  mountHealth(isInsider: (request: IncomingMessage) => boolean): void {
    this.gate.mount('/healthz', (request, response) => answerHealth(response, this.alive, isInsider(request)));
    this.gate.mount('/readyz', (request, response) => answerHealth(response, this.ready, isInsider(request)));
    this.gate.mount('/metrics', (request, response) => {
      if (isInsider(request)) return void answerMetrics(response, this.metrics);
      return answerPathUnknown(response);
    });
  }

  open(): void {
    this.isOpen = true;
  }

  readonly tellRefusal = (refused: RequestRefused): void => {
    for (const tell of this.refusalListeners) tell(refused);
  };

  async stop(server: Server, app: INestApplication, boundMs: number, close: () => Promise<void>): Promise<void> {
    this.draining.abort();
    this.gate.startDraining();
    server.close();
    server.closeIdleConnections();
    const idle = await Promise.all([this.gate.whenIdle(boundMs), this.internal.whenIdle(boundMs)]);
    if (idle.includes(false)) this.log.warn({ boundMs }, 'requests still ran at the end of the drain');
    await this.drains.run(boundMs, this.log);
    await app.close();
    await close();
    this.log.info('stopped');
  }
}

async function createApp(
  module: DynamicModule,
  server: Server,
  parts: HostParts,
  { settings, publicUrl }: { settings: HostSettings; publicUrl: URL },
): Promise<INestApplication> {
  let toFastify: RequestListener | undefined;
  const adapter = new FastifyAdapter({
    bodyLimit: settings.bounds.bodyBytesMax,
    // A path that cannot be decoded gets as far as neither hook nor filter, and Fastify would quote it.
    frameworkErrors: (thrown: unknown, request: { raw: IncomingMessage }, { raw }: { raw: ServerResponse }) => {
      answerPathUnknown(raw);
      parts.tellRefusal({ request: request.raw, route: null, answer: PATH_UNKNOWN, thrown });
    },
    serverFactory: (handler: RequestListener) => {
      toFastify = handler;
      return server;
    },
  });
  // Cast, for the adapter's types may come from another copy of Nest than this package's.
  const app = await NestFactory.create(module, adapter as unknown as AbstractHttpAdapter, {
    abortOnError: false,
    logger: nestLogger(parts.log),
  });
  app.useGlobalFilters(createErrorFilter(parts.log, parts.sideDoors, parts.tellRefusal));
  const fastify = adapter.getInstance();
  parts.entries.listen(fastify);
  fastify.addHook('onRequest', (request, reply, done) => {
    void reply.headers(securityHeaders(settings.tls !== undefined));
    const isNothing = forgetTypeOfNothing(request.raw);
    const sideDoor = parts.sideDoors.at(request.raw.url ?? '');
    if (sideDoor !== undefined) {
      void reply.type(`${sideDoor.answerType ?? sideDoor.mediaType}; charset=utf-8`);
      readAs(sideDoor.mediaType, request.raw);
    }
    checkHead(request.raw, publicUrl);
    // A guard comes after the body, which by then whoever sent it had us hold and parse.
    if (!parts.sideDoors.admit(request.raw) && !isNothing) for (const judge of parts.bodyJudges) judge(request.raw);
    done();
  });
  for (const { mediaType, bodyBytesMax, isBodyText = false } of parts.sideDoors.all) {
    const parse = isBodyText ? asItCame : fastify.getDefaultJsonParser('error', 'error');
    fastify.addContentTypeParser(mediaType, { parseAs: 'string', bodyLimit: bodyBytesMax }, parse);
  }
  await app.init();
  await fastify.ready();
  if (toFastify !== undefined) parts.gate.openTo(toFastify);
  parts.open();
  return app;
}

function answerHealth(response: ServerResponse, health: Health, isInsider: boolean): void {
  const { status, body } = health.answer();
  answerJson(response, status, isInsider ? body : { status: body.status });
}

function answerPathUnknown(response: ServerResponse): void {
  const { status, code, message } = PATH_UNKNOWN;
  answerJson(response, status, { error: { code, message } });
}

async function answerMetrics(response: ServerResponse, metrics: Metrics): Promise<void> {
  const text = await metrics.registry.metrics();
  response.writeHead(200, { 'content-type': metrics.registry.contentType, 'cache-control': 'no-store' });
  response.end(text);
}

async function openInternal(
  { internal, bounds }: HostSettings,
  gate: RequestGate,
): Promise<{ server: Server; url: string } | undefined> {
  if (internal === undefined) return undefined;
  const server = createListener({ bounds, tls: undefined }, gate.onRequest);
  return { server, url: urlOf(internal.host, await bind(server, internal, 'internal'), false) };
}

function urlOf(host: string, port: number, isTls: boolean): string {
  const name = isLoopback(host) || !['0.0.0.0', '::'].includes(host) ? host : 'localhost';
  return `${isTls ? 'https' : 'http'}://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= run());
}
