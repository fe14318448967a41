import type { LeaseRefusal, NodeEnrolled } from '@warder/contracts';

/** The nodes that are enrolled, in memory: a replica of the state, so that requests are answered while the database is away. */
export class NodeRegistry {
  private readonly nodes = new Map<string, NodeEnrolled>();

  apply(node: string, state: NodeEnrolled): void {
    if ((this.nodes.get(node)?.version ?? 0) < state.version) this.nodes.set(node, state);
  }

  /** Why this key does not speak for the node at the time; undefined where it does. */
  refusalOf(node: string, identity: string, nowMs: number): LeaseRefusal | undefined {
    const known = this.nodes.get(node);
    if (known === undefined) return 'node-unknown';
    const isPrevious = known.previous?.identity === identity && nowMs < known.previous.untilMs;
    if (known.identity !== identity && !isPrevious) return 'node-unknown';
    if (known.status === 'revoked') return 'node-revoked';
    return known.expiresAtMs <= nowMs ? 'node-expired' : undefined;
  }
}
