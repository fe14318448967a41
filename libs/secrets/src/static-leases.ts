import type { StaticConnectionState } from '@warder/contracts';
import type { SecretStore } from './secret-store.js';
import { decodeStaticSecret, staticConnectionId } from './static-secret.js';

/**
 * What `attachCredential` is answered. `none`: the upstream never had a credential and is called without one.
 * `missing`: it had one that was revoked, or one that cannot be read, so the call is refused with
 * WDR_CREDENTIAL_MISSING rather than sent without.
 */
export type HeaderLease =
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'none' }
  | { readonly kind: 'missing'; readonly detail: string };

/** The same for the environment of a stdio child. */
export type EnvironmentLease =
  | { readonly kind: 'environment'; readonly environment: Readonly<Record<string, string>> }
  | { readonly kind: 'none' }
  | { readonly kind: 'missing'; readonly detail: string };

/** The port that ingress asks; later leases of one principal come through the same one. */
export interface LeaseTransport {
  /** From memory; waits, until the signal fires, only while this connection is being read. */
  headersFor(upstream: string, principalId: string, signal: AbortSignal): HeaderLease | Promise<HeaderLease>;
  environmentFor(upstream: string, signal: AbortSignal): EnvironmentLease | Promise<EnvironmentLease>;
}

export interface StaticLeasesOptions {
  /** Of upstreams that the node itself has a credential for, for each principal: no state of a topic replaces it. */
  readonly own?: ReadonlyMap<string, (principalId: string) => Readonly<Record<string, string>>>;
  readonly store: Pick<SecretStore, 'get'>;
  /** Told about a secret that the state names and the store does not give; never with its value. */
  readonly onUnreadable?: (connectionId: string, error: unknown) => void;
}

/** Static leases: the replica of the connection state tells which there are, the store holds what they are. */
export interface StaticLeases extends LeaseTransport {
  /** Applies a state message; resolves when its secret is in memory. A revocation counts at once. */
  apply(state: StaticConnectionState): Promise<void>;
  /** Reads a known connection's secret again. */
  refresh(connectionId: string): Promise<void>;
  /** Told the upstream whose credential changed or was revoked: a stdio child that holds it has to be replaced. */
  onChanged(listener: (upstream: string) => void): void;
}

type Held = HeaderLease | EnvironmentLease;

interface Entry {
  state: StaticConnectionState;
  held: Held | undefined;
  reading: Promise<void>;
  isReading: boolean;
}

const NONE = { kind: 'none' } as const;

/** Makes the lease port over a store; the state topic's replica calls `apply`. */
export function createStaticLeases(options: StaticLeasesOptions): StaticLeases {
  return new StoredLeases(options);
}

class StoredLeases implements StaticLeases {
  private readonly entries = new Map<string, Entry>();
  private readonly listeners: ((upstream: string) => void)[] = [];

  constructor(private readonly options: StaticLeasesOptions) {}

  headersFor(upstream: string, principalId: string, signal: AbortSignal): HeaderLease | Promise<HeaderLease> {
    const own = this.options.own?.get(upstream);
    if (own !== undefined) return { kind: 'headers', headers: own(principalId) };
    const asHeaders = (held: Held): HeaderLease => (held.kind === 'environment' ? NONE : held);
    return this.held(upstream, asHeaders, signal);
  }

  environmentFor(upstream: string, signal: AbortSignal): EnvironmentLease | Promise<EnvironmentLease> {
    const asEnvironment = (held: Held): EnvironmentLease => (held.kind === 'headers' ? NONE : held);
    return this.held(upstream, asEnvironment, signal);
  }

  async apply(state: StaticConnectionState): Promise<void> {
    const known = this.entries.get(state.id);
    if (known && known.state.version >= state.version) return known.reading;
    const entry: Entry = { state, held: undefined, reading: Promise.resolve(), isReading: false };
    this.entries.set(state.id, entry);
    // A revocation is known without reading anything, and the earlier value is gone from memory with its entry.
    if (state.status === 'revoked') entry.held = { kind: 'missing', detail: `credential ${state.id} was revoked` };
    else this.startReading(entry);
    for (const listener of this.listeners) listener(state.upstream);
    await entry.reading;
  }

  async refresh(connectionId: string): Promise<void> {
    const entry = this.entries.get(connectionId);
    if (!entry || entry.state.status === 'revoked') return;
    this.startReading(entry);
    await entry.reading;
  }

  onChanged(listener: (upstream: string) => void): void {
    this.listeners.push(listener);
  }

  private held<L>(upstream: string, as: (held: Held) => L, signal: AbortSignal): L | Promise<L> {
    const entry = this.entries.get(staticConnectionId(upstream));
    if (!entry) return as(NONE);
    if (entry.held && !isWorthAnotherRead(entry)) return as(entry.held);
    this.startReading(entry);
    return untilAborted(entry.reading, signal).then(() => {
      // A revocation that came while the secret was read outranks it.
      const current = this.entries.get(entry.state.id) ?? entry;
      return as(current.held ?? unreadable(current.state));
    });
  }

  /** One read at a time: calls that meet an unreadable secret share it. */
  private startReading(entry: Entry): void {
    if (entry.isReading) return;
    entry.isReading = true;
    entry.reading = this.read(entry).finally(() => {
      entry.isReading = false;
    });
  }

  private async read(entry: Entry): Promise<void> {
    const { id, version } = entry.state;
    try {
      const text = await this.options.store.get(id);
      if (text === undefined) throw new Error(`the store holds no secret ${id}`);
      const secret = decodeStaticSecret(text);
      // A newer one is fine: its state is on the way. An older one was replaced, perhaps because it leaked.
      if (secret.version < version) throw new Error(`the secret ${id} is older than its state`);
      const values = { [secret.name]: secret.value };
      entry.held =
        secret.kind === 'header' ? { kind: 'headers', headers: values } : { kind: 'environment', environment: values };
    } catch (error) {
      entry.held = unreadable(entry.state);
      this.options.onUnreadable?.(id, error);
    }
  }
}

function isWorthAnotherRead(entry: Entry): boolean {
  return entry.held?.kind === 'missing' && entry.state.status === 'active';
}

function unreadable(state: StaticConnectionState): { kind: 'missing'; detail: string } {
  return { kind: 'missing', detail: `credential ${state.id} cannot be read on this node` };
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, reject } = withReject();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function withReject(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<never>((_resolve, no) => {
    reject = no;
  });
  return { promise, reject };
}
