import { isStaticConnection, type ConnectionState, type StaticConnectionState } from '@warder/contracts';
import type { Held, HeldLeases, LeaseAnswer, Wanted } from './held-leases.js';
import type {
  EnvironmentLease,
  GivenUp,
  HeaderLease,
  LeaseTransport,
  MissingLease,
  UnavailableLease,
} from './lease-transport.js';

export interface NodeLeasesOptions {
  /** Of upstreams that the node itself has a credential for, for each principal: no state of a topic replaces it. */
  readonly own: ReadonlyMap<string, (principalId: string) => Readonly<Record<string, string>>>;
  readonly held: HeldLeases;
}

interface Connection {
  readonly state: StaticConnectionState;
  readonly wanted: Wanted;
}

const NONE = { kind: 'none' } as const;

/** The port over the leases of this node: the state of connections says which there are, and outranks them. */
export class NodeLeases implements LeaseTransport {
  private readonly connections = new Map<string, Connection>();
  private readonly listeners: ((upstream: string) => void)[] = [];

  constructor(private readonly options: NodeLeasesOptions) {
    options.held.onGained((upstream) => this.tell(upstream));
  }

  headersFor(upstream: string, principalId: string, signal: GivenUp): HeaderLease | Promise<HeaderLease> {
    const own = this.options.own.get(upstream);
    if (own !== undefined) return { kind: 'headers', headers: own(principalId) };
    return this.lease(upstream, signal, (held) => held.headers);
  }

  environmentFor(upstream: string, signal: GivenUp): EnvironmentLease | Promise<EnvironmentLease> {
    return this.lease(upstream, signal, (held) => held.environment);
  }

  prefetch(upstream: string, _principalId: string): void {
    const connection = this.connections.get(upstream);
    if (connection !== undefined && connection.state.status === 'active') this.options.held.warm(connection.wanted);
  }

  onChanged(listener: (upstream: string) => void): void {
    this.listeners.push(listener);
  }

  /** Applies a state of the bus. A revocation counts at once, whatever leases there are. */
  apply(state: ConnectionState): void {
    if (!isStaticConnection(state)) return;
    const { id, upstream, version, status } = state;
    const known = this.connections.get(upstream);
    if (known !== undefined && known.state.version >= version) return;
    const key = `${id} ${upstream}`;
    const wanted: Wanted = { key, connectionId: id, upstream, principalId: '', version, generation: version };
    this.connections.set(upstream, { state, wanted });
    if (status === 'revoked') this.options.held.drop(key);
    else this.options.held.outdate(wanted);
    this.tell(upstream);
  }

  /** Whether there is a connection that a lease would be needed for. */
  hasConnections(): boolean {
    for (const { state } of this.connections.values()) if (state.status === 'active') return true;
    return false;
  }

  private tell(upstream: string): void {
    for (const listener of this.listeners) listener(upstream);
  }

  private lease<L>(
    upstream: string,
    signal: GivenUp,
    of: (held: Held) => L,
  ): L | typeof NONE | MissingLease | UnavailableLease | Promise<L | typeof NONE | MissingLease | UnavailableLease> {
    const connection = this.connections.get(upstream);
    if (connection === undefined) return NONE;
    if (connection.state.status === 'revoked') return revoked(connection);
    const answer = this.options.held.of(connection.wanted, signal);
    if (!(answer instanceof Promise)) return told(connection, answer, of);
    return answer.then((came) => {
      // A revocation that came while the lease was asked for outranks it.
      const now = this.connections.get(upstream) ?? connection;
      return now.state.status === 'revoked' ? revoked(now) : told(now, came, of);
    });
  }
}

function told<L>(
  connection: Connection,
  answer: LeaseAnswer,
  of: (held: Held) => L,
): L | MissingLease | UnavailableLease {
  if (!('refusal' in answer)) return of(answer);
  const { refusal } = answer;
  if (refusal === 'connection-revoked') return revoked(connection);
  return { kind: 'unavailable', detail: `no lease of ${connection.state.id}: ${refusal}` };
}

function revoked({ state }: Connection): MissingLease {
  return { kind: 'missing', detail: `credential ${state.id} was revoked` };
}
