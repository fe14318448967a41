import type { PolicyDocument, PolicySnapshot } from '@warder/contracts';

/** Which virtual servers call which upstreams, by the policy that is in force. */
export class UpstreamUses {
  private document: PolicyDocument | undefined;

  apply({ document }: PolicySnapshot): void {
    this.document = document;
  }

  /** Names of the virtual servers that expose a tool of one of the upstreams. */
  serversOf(upstreams: readonly string[]): readonly string[] {
    return Object.entries(this.document?.virtualServers ?? {})
      .filter(([, { tools }]) => tools.some(({ upstream }) => upstreams.includes(upstream)))
      .map(([name]) => name)
      .toSorted();
  }
}
