import type { Host } from '@warder/service-host';
import { AddressLimit } from './downstream/address-limit.js';
import { BodyReader } from './downstream/body-reader.js';
import { Cancellations } from './downstream/cancellations.js';
import { KeepAlive } from './downstream/keep-alive.js';
import type { LegacySessions } from './downstream/legacy-sessions.js';
import { McpDoor } from './downstream/mcp-door.js';
import { MessageDispatch } from './downstream/message-dispatch.js';
import { answerProtectedResource, type Issuer, METADATA_PREFIX } from './downstream/protected-resource.js';
import { PublicOrigin } from './downstream/request-checks.js';
import type { OpenSubscriptions } from './downstream/open-subscriptions.js';
import type { RunningOperations } from './downstream/running-operations.js';
import type { IngressConfig } from './ingress-config.js';
import { OperationMetrics } from './operation-metrics.js';
import type { Gateway } from './pipeline/gateway.js';
import { reportTokenUses } from './report-token-uses.js';
import type { RefusalCounter } from './record/refusal-counter.js';
import { UnreadAnswers } from './downstream/unread-answers.js';

export interface DoorNeeds {
  readonly gateway: Gateway;
  readonly sessions: LegacySessions;
  readonly running: RunningOperations;
  readonly subscriptions: OpenSubscriptions;
  readonly counter: RefusalCounter;
  /** The company's own authorization server, where clients get their tokens there. */
  readonly issuer: () => Issuer;
}

/** Opens `/mcp` to agents. @returns what has still to listen on the bus */
export function startDoor(config: IngressConfig, host: Host, needs: DoorNeeds): Cancellations {
  const { limits } = config;
  const { gateway, running, subscriptions, counter, sessions, issuer } = needs;
  const { clock, log } = host;
  const metrics = new OperationMetrics(host.metrics);
  const noteUse = reportTokenUses(host);
  const bodies = new BodyReader(limits, () => clock.monotonicMs());
  const keepAlive = new KeepAlive(limits.keepAliveMs);
  const cancellations = new Cancellations(running, host.bus, clock, log);
  const onBug = (error: unknown) => log.error({ err: error }, 'an operation failed for a reason that is a bug');
  const dispatch = new MessageDispatch({
    gateway,
    sessions,
    running,
    cancellations,
    keepAlive,
    publicUrl: () => host.door.publicUrl(),
    issuer,
    streamBufferBytesMax: limits.streamBufferBytesMax,
    readTimeoutMs: limits.readTimeoutMs,
    unread: new UnreadAnswers(limits.unreadBytesMax),
    subscriptions,
    onEnded: (call, outcome) => {
      metrics.ended(call, outcome);
      noteUse(call);
      if (outcome.kind === 'failed') onBug(outcome.error);
    },
  });
  const door = new McpDoor({
    gateway,
    origin: new PublicOrigin(() => host.door.publicUrl()),
    publicUrl: () => host.door.publicUrl(),
    issuer,
    addresses: new AddressLimit(limits),
    bodies,
    counter,
    dispatch,
    clientAddress: (request) => host.door.clientAddress(request),
    limits,
    onBug,
  });
  // Nobody waits for an answer on these, so that they need not be waited for.
  host.draining.addEventListener('abort', () => subscriptions.drain());
  host.onDrain('door', async () => {
    subscriptions.close();
    running.giveUpAll('the gateway is shutting down');
    bodies.close();
    keepAlive.close();
  });
  host.mountRaw('/mcp', door.handle);
  host.mountRaw(METADATA_PREFIX, (request, response) =>
    answerProtectedResource({ publicUrl: host.door.publicUrl(), issuer: issuer() }, request, response),
  );
  return cancellations;
}
