import { BUILT_INS } from '@warder/access';
import type { PolicyDocument, PolicySnapshot } from '@warder/contracts';

export type UpstreamTransport = PolicyDocument['upstreams'][string]['transport']['kind'] | 'built-in' | 'unknown';

/** Which virtual servers call which upstreams, by the policy that is in force. */
export class UpstreamUses {
  private document: PolicyDocument | undefined;

  apply({ document }: PolicySnapshot): void {
    this.document = document;
  }

  /** How the policy in force reaches an upstream; `unknown` where it does not name it, or was not read yet. */
  transportOf(upstream: string): UpstreamTransport {
    if (BUILT_INS.has(upstream)) return 'built-in';
    return this.document?.upstreams[upstream]?.transport.kind ?? 'unknown';
  }

  /** Where the policy in force reaches an MCP server over HTTP; undefined for any other upstream. */
  urlOf(upstream: string): URL | undefined {
    const transport = this.document?.upstreams[upstream]?.transport;
    return transport !== undefined && 'url' in transport ? new URL(transport.url) : undefined;
  }

  /** Names of the virtual servers that expose a tool of one of the upstreams. */
  serversOf(upstreams: readonly string[]): readonly string[] {
    return Object.entries(this.document?.virtualServers ?? {})
      .filter(([, { tools }]) => tools.some(({ upstream }) => upstreams.includes(upstream)))
      .map(([name]) => name)
      .toSorted();
  }
}
