import type { LeaseRequested } from '@warder/contracts';

/** Leases of one node that are remembered at a time. */
const HOLDERS_MAX = 50_000;

interface Holder {
  readonly request: LeaseRequested;
  readonly untilMs: number;
}

/**
 * Who holds a lease of which connection: the last request of each node for each upstream, until the lease ends. Of a node
 * that holds too many its own oldest are forgotten: it hears of another token when it asks again.
 */
export class LeaseHolders {
  /** By connection, then by node and upstream. */
  private readonly connections = new Map<string, Map<string, Holder>>();
  /** By node: places in `connections`, the one that was asked for last at the end. */
  private readonly nodes = new Map<string, Map<string, readonly [connectionId: string, holder: string]>>();

  constructor(private readonly holdersMax = HOLDERS_MAX) {}

  add(request: LeaseRequested, untilMs: number): void {
    const { node, connectionId, upstream } = request;
    const holder = `${node} ${upstream}`;
    const holders = this.connections.get(connectionId) ?? new Map<string, Holder>();
    holders.set(holder, { request, untilMs });
    this.connections.set(connectionId, holders);
    const places = this.nodes.get(node) ?? new Map<string, readonly [string, string]>();
    places.delete(`${connectionId} ${upstream}`);
    places.set(`${connectionId} ${upstream}`, [connectionId, holder]);
    this.nodes.set(node, places);
    if (places.size > this.holdersMax) this.forget(node, places.keys().next().value!);
  }

  /** @param nowMs - wall milliseconds; whose lease has ended is forgotten */
  of(connectionId: string, nowMs: number): readonly LeaseRequested[] {
    const holders = [...(this.connections.get(connectionId)?.values() ?? [])];
    for (const { request, untilMs } of holders) {
      if (untilMs <= nowMs) this.forget(request.node, `${connectionId} ${request.upstream}`);
    }
    return holders.filter(({ untilMs }) => untilMs > nowMs).map(({ request }) => request);
  }

  private forget(node: string, place: string): void {
    const places = this.nodes.get(node);
    const known = places?.get(place);
    if (places === undefined || known === undefined) return;
    const [connectionId, holder] = known;
    places.delete(place);
    if (places.size === 0) this.nodes.delete(node);
    const holders = this.connections.get(connectionId);
    holders?.delete(holder);
    if (holders?.size === 0) this.connections.delete(connectionId);
  }
}
