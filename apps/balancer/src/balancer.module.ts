import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import type { DynamicModule } from '@nestjs/common';
import { answerJson, type Host, type Service } from '@warder/service-host';
import { BalancerConfig } from './balancer-config.js';
import { forward, type Forwarding } from './forward.js';
import { HealthWatch } from './health-watch.js';
import { NodeRing } from './node-ring.js';

/** Paths beside `/admin` that belong to one service, by their whole first segments. */
const PATHS_OF: Readonly<Record<string, string>> = {
  '/scim': 'identity',
  '/oauth': 'identity',
  '/sign-in': 'identity',
  '/signals': 'identity',
  '/account': 'identity',
  '/connections': 'credentials',
  '/approvals': 'guardrails',
  '/.well-known/oauth-authorization-server': 'identity',
  '/.well-known/openid-configuration': 'identity',
};

class BalancerModule {}

/** The cluster's one door: `/mcp/*` over the ingress nodes, `/admin/<service>/*` and `/scim/*` to their service. */
export const balancerService: Service<BalancerConfig> = {
  name: 'balancer',
  config: BalancerConfig,
  module(config: BalancerConfig, host: Host): DynamicModule {
    const ingress = new NodeRing(config.ingress);
    const services = new Map(Object.entries(config.services).map(([name, url]) => [name, new NodeRing([url])]));
    // Shorter than the nodes' own keep-alive: a request must never meet a socket that is being closed.
    const agent = new Agent({ keepAlive: true, timeout: config.idleTimeoutMs, maxSockets: config.socketsPerNodeMax });
    const { connectTimeoutMs, idleTimeoutMs } = config;
    const clientAddress: Forwarding['clientAddress'] = (request) => host.door.clientAddress(request);
    const forwarding: Forwarding = { agent, connectTimeoutMs, idleTimeoutMs, clientAddress };
    const watch = new HealthWatch(ingress.nodes, config, ({ url, isReady }) =>
      host.log.info({ url: url.href, isReady }, 'node'),
    );
    watch.start();
    const streams = new Set<ServerResponse>();
    // Nobody waits for an answer on these: a door that shuts cuts them at once, and their clients come back elsewhere.
    host.draining.addEventListener('abort', () => {
      for (const each of streams) each.destroy();
    });
    host.mountRaw('/mcp', (request, response) => {
      if (isStreamOfChanges(request)) {
        streams.add(response);
        response.once('close', () => streams.delete(response));
      }
      forward(request, response, ingress.order(), forwarding);
    });
    host.mountRaw('/.well-known/oauth-protected-resource', (request, response) =>
      forward(request, response, ingress.order(), forwarding),
    );
    const forwardTo = (service: string, request: IncomingMessage, response: ServerResponse) => {
      const ring = services.get(service);
      if (ring !== undefined) return forward(request, response, ring.order(), forwarding);
      return answerJson(response, 404, { error: { code: 'WDR_PATH_UNKNOWN', message: 'no such path' } });
    };
    host.mountRaw('/admin', (request, response) => forwardTo(serviceOf(request.url ?? ''), request, response));
    for (const [prefix, service] of Object.entries(PATHS_OF)) {
      host.mountRaw(prefix, (request, response) => forwardTo(service, request, response));
    }
    host.readiness('ingress', () => ingress.nodes.some((node) => node.isReady) || 'no ingress node is ready');
    host.onDrain('nodes', async () => {
      watch.stop();
      agent.destroy();
    });
    return { module: BalancerModule };
  },
};

/** A legacy session's, or a modern subscription; the node proves that the header tells what the body says. */
function isStreamOfChanges({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' || headers['mcp-method'] === 'subscriptions/listen';
}

function serviceOf(url: string): string {
  return /^\/admin\/([a-z]+)(?:[/?]|$)/.exec(url)?.[1] ?? '';
}
