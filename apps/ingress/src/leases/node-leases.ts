import {
  type AccountConnectionState,
  type ConnectionState,
  isOfPerson,
  isStaticConnection,
  type StaticConnectionState,
  type UpstreamAuthState,
  type UpstreamCredential,
} from '@warder/contracts';
import type { HeldLeases } from './held-leases.js';
import type { Held, LeaseAnswer, Wanted } from './lease-slot.js';
import type {
  CredentialLease,
  EnvironmentLease,
  GivenUp,
  LeaseTransport,
  MissingLease,
  UnavailableLease,
} from './lease-transport.js';

export interface NodeLeasesOptions {
  /** Of upstreams that the node itself has a credential for, for each principal: no state of a topic replaces it. */
  readonly own: ReadonlyMap<string, (principalId: string) => Readonly<Record<string, string>>>;
  readonly held: HeldLeases;
  /** Where somebody connects an account of theirs for the upstream. */
  readonly connectUrl: (upstream: string) => string;
}

interface Connection {
  readonly state: StaticConnectionState;
  readonly wanted: Wanted;
}

const NONE = { kind: 'none' } as const;
const NONE_LEASED: UnavailableLease = {
  kind: 'unavailable',
  detail: 'a lease of an account holds nothing that a call could carry',
};

/** What an upstream that is authenticated by accounts is called with, or why it is not. */
type Accounted = Extract<CredentialLease, { kind: 'credential' }> | typeof NONE | MissingLease | UnavailableLease;

function keyOf(provider: string, kind: string, principalId: string): string {
  return JSON.stringify([provider, kind, principalId]);
}

function wantedOf({ id, principalId, version, generation }: AccountConnectionState, upstream: string): Wanted {
  return { key: `${id} ${upstream}`, connectionId: id, upstream, principalId: principalId ?? '', version, generation };
}

/** The port over the leases of this node: the state of connections says which there are, and outranks them. */
export class NodeLeases implements LeaseTransport {
  private readonly connections = new Map<string, Connection>();
  private readonly auths = new Map<string, UpstreamAuthState>();
  /** Of accounts, by provider, kind and whose they are. */
  private readonly accounts = new Map<string, AccountConnectionState>();
  /** With whose account the tools of an upstream are listed. */
  private readonly listers = new Map<string, string>();
  private readonly listeners: ((upstream: string) => void)[] = [];

  constructor(private readonly options: NodeLeasesOptions) {
    options.held.onGained((upstream) => this.tell(upstream));
  }

  credentialFor(upstream: string, principalId: string, signal: GivenUp): CredentialLease | Promise<CredentialLease> {
    const own = this.options.own.get(upstream);
    if (own !== undefined) return { kind: 'credential', credential: { kind: 'headers', values: own(principalId) } };
    const whose = principalId === '' ? (this.listers.get(upstream) ?? '') : principalId;
    return this.byAuth(upstream, whose, signal) ?? this.lease(upstream, signal, (held) => held.credential);
  }

  async afterRefusal(
    upstream: string,
    principalId: string,
    refused: UpstreamCredential,
    signal: GivenUp,
  ): Promise<UpstreamCredential | undefined> {
    const account = this.accountFor(upstream, principalId);
    // What an administrator stored is good or is not: nothing can be had for it.
    if (account?.status !== 'active') return undefined;
    const came = await this.options.held.afterRefusal(wantedOf(account, upstream), refused, signal);
    const now = this.accountFor(upstream, principalId);
    if ('refusal' in came || came.credential.kind !== 'credential' || now?.status !== 'active') return undefined;
    const { credential } = came.credential;
    return JSON.stringify(credential) === JSON.stringify(refused) ? undefined : credential;
  }

  environmentFor(upstream: string, signal: GivenUp): EnvironmentLease | Promise<EnvironmentLease> {
    return this.childByAuth(upstream) ?? this.lease(upstream, signal, (held) => held.environment);
  }

  prefetch(upstream: string, principalId: string): void {
    const account = this.accountFor(upstream, principalId);
    if (account?.status === 'active') {
      this.options.held.warm(wantedOf(account, upstream));
      if (account.principalId !== null) this.listFor(upstream, principalId);
    }
    const connection = this.connections.get(upstream);
    if (connection !== undefined && connection.state.status === 'active') this.options.held.warm(connection.wanted);
  }

  onChanged(listener: (upstream: string) => void): void {
    this.listeners.push(listener);
  }

  onEnded(listener: (upstream: string, credential: UpstreamCredential) => void): void {
    this.options.held.onEnded(listener);
  }

  /** Nothing is held for somebody who may not call any more, whatever becomes of their connections. */
  endPrincipal(principalId: string): void {
    this.options.held.dropWhere((wanted) => wanted.principalId === principalId);
  }

  /** Applies a state of the bus. A revocation counts at once, whatever leases there are. */
  apply(state: ConnectionState): void {
    if (!isStaticConnection(state)) return this.applyAccount(state);
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

  /** Applies how an upstream's calls are authenticated; counts from the next call on. */
  applyAuth(auth: UpstreamAuthState): void {
    const known = this.auths.get(auth.upstream);
    if (known !== undefined && known.version >= auth.version) return;
    this.auths.set(auth.upstream, auth);
    this.listers.delete(auth.upstream);
    this.options.held.dropWhere((wanted) => wanted.upstream === auth.upstream);
    this.tell(auth.upstream);
  }

  /** Upstreams whose calls carry what a connection gives. */
  upstreamsOf(state: ConnectionState): readonly string[] {
    if (isStaticConnection(state)) return [state.upstream];
    const taking = [...this.auths.values()].filter(
      ({ provider, kind }) => provider === state.provider && kind === state.kind,
    );
    return taking.map(({ upstream }) => upstream);
  }

  /** Whether there is a connection that a lease would be needed for. */
  hasConnections(): boolean {
    for (const { state } of this.connections.values()) if (state.status === 'active') return true;
    for (const { status } of this.accounts.values()) if (status === 'active') return true;
    return false;
  }

  private applyAccount(state: AccountConnectionState): void {
    const key = keyOf(state.provider, state.kind, state.principalId ?? '');
    const known = this.accounts.get(key);
    if (known !== undefined && known.id === state.id && known.version >= state.version) return;
    this.accounts.set(key, state);
    for (const { upstream, provider } of this.auths.values()) {
      if (provider !== state.provider) continue;
      const wanted = wantedOf(state, upstream);
      if (state.status === 'active') this.options.held.outdate(wanted);
      else this.options.held.drop(wanted.key);
    }
    if (state.status !== 'active') this.endListing(state);
  }

  /** The stream on which an upstream tells of its tools was opened with the account, and ends with it. */
  private endListing(ended: AccountConnectionState): void {
    for (const upstream of this.upstreamsOf(ended)) {
      if (ended.principalId !== null && this.listers.get(upstream) !== ended.principalId) continue;
      this.listers.delete(upstream);
      this.tell(upstream);
    }
  }

  /**
   * An upstream of people's own accounts is asked for its tools with the account of somebody who came for them: of the first
   * who has one, until it ends. Before that nobody could list it.
   */
  private listFor(upstream: string, principalId: string): void {
    if (this.listers.has(upstream)) return;
    this.listers.set(upstream, principalId);
    this.tell(upstream);
  }

  /** The connection of the caller, or the shared one, where the upstream takes those of a provider. */
  private accountFor(upstream: string, principalId: string): AccountConnectionState | undefined {
    const auth = this.auths.get(upstream);
    if (auth?.status !== 'active' || auth.provider === null) return undefined;
    return this.accounts.get(keyOf(auth.provider, auth.kind, isOfPerson(auth.kind) ? principalId : ''));
  }

  /** @returns undefined for an upstream that has its static credential, or none */
  private byAuth(upstream: string, principalId: string, signal: GivenUp): Accounted | Promise<Accounted> | undefined {
    const auth = this.auths.get(upstream);
    if (auth?.status !== 'active' || auth.kind === 'static') return undefined;
    if (auth.kind === 'none') return NONE;
    const account = this.accountFor(upstream, principalId);
    if (account?.status !== 'active') return this.unconnected(upstream, auth.kind, account);
    const answer = this.options.held.of(wantedOf(account, upstream), signal);
    const told = (came: LeaseAnswer): Accounted => {
      // What ended while the lease was asked for outranks it.
      const now = this.accountFor(upstream, principalId);
      if (now?.status !== 'active' || now.id !== account.id) return this.unconnected(upstream, auth.kind, now);
      if (!('refusal' in came)) return came.credential.kind === 'credential' ? came.credential : NONE_LEASED;
      return { kind: 'unavailable', detail: `no lease of ${account.id}: ${came.refusal}` };
    };
    return answer instanceof Promise ? answer.then(told) : told(answer);
  }

  /** A child lives longer than a token, and is not one person's. */
  private childByAuth(upstream: string): typeof NONE | MissingLease | undefined {
    const auth = this.auths.get(upstream);
    if (auth?.status !== 'active' || auth.kind === 'static') return undefined;
    return auth.kind === 'none' ? NONE : { kind: 'missing', detail: 'a child takes no token of an account' };
  }

  private unconnected(upstream: string, kind: string, account: AccountConnectionState | undefined): MissingLease {
    const detail = account === undefined ? 'nothing is connected' : `connection ${account.id} is ${account.status}`;
    return {
      kind: 'missing',
      detail,
      ...(isOfPerson(kind) ? { connectAt: this.options.connectUrl(upstream) } : {}),
    };
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
