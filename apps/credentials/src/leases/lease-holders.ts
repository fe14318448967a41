import type { LeaseRequested } from '@warder/contracts';

/** Leases that are remembered at a time, over all connections. */
const HOLDERS_MAX = 200_000;

interface Holder {
  readonly request: LeaseRequested;
  readonly untilMs: number;
}

/** Who holds a lease of which connection: the last request of each node for each upstream, until the lease ends. */
export class LeaseHolders {
  private readonly connections = new Map<string, Map<string, Holder>>();
  private size = 0;

  add(request: LeaseRequested, untilMs: number): void {
    const holders = this.connections.get(request.connectionId) ?? new Map<string, Holder>();
    const holder = `${request.node} ${request.upstream}`;
    if (!holders.has(holder)) this.size += 1;
    holders.set(holder, { request, untilMs });
    // The one that was asked for last stands last.
    this.connections.delete(request.connectionId);
    this.connections.set(request.connectionId, holders);
    while (this.size > HOLDERS_MAX) this.forgetOldest();
  }

  /** @param nowMs - wall milliseconds; whose lease has ended is forgotten */
  of(connectionId: string, nowMs: number): readonly LeaseRequested[] {
    const holders = this.connections.get(connectionId);
    if (holders === undefined) return [];
    for (const [holder, { untilMs }] of holders) {
      if (untilMs > nowMs) continue;
      holders.delete(holder);
      this.size -= 1;
    }
    if (holders.size === 0) this.connections.delete(connectionId);
    return [...holders.values()].map(({ request }) => request);
  }

  private forgetOldest(): void {
    const [oldest] = this.connections;
    if (oldest === undefined) return;
    this.connections.delete(oldest[0]);
    this.size -= oldest[1].size;
  }
}
