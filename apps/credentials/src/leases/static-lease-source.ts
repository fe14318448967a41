import { type ConnectionState, isStaticConnection, type LeaseRefusal } from '@warder/contracts';
import { decodeStaticSecret, type NamedSecrets } from '@warder/secrets';
import type { LeaseAsked, Leased, LeaseSource } from './lease-source.js';

/**
 * Static credentials: the replica of the connections' state says which there are, the secret store what they are, so
 * that leases go on while the database is away.
 */
export class StaticLeaseSource implements LeaseSource {
  constructor(
    private readonly connections: ReadonlyMap<string, ConnectionState>,
    private readonly secrets: Pick<NamedSecrets, 'get'>,
    private readonly failed: (connectionId: string, error: unknown) => void,
  ) {}

  owns(connectionId: string): boolean {
    return connectionId.startsWith('static/');
  }

  async leaseOf({ connectionId, upstream, principalId }: LeaseAsked): Promise<Leased | LeaseRefusal> {
    const state = this.connections.get(connectionId);
    if (state === undefined || !isStaticConnection(state)) return 'connection-unknown';
    // It is everybody's who may call the upstream: a request in somebody's name is for another kind of connection.
    if (state.upstream !== upstream || principalId !== '') return 'connection-unknown';
    if (state.status === 'revoked') return 'connection-revoked';
    try {
      const text = await this.secrets.get(connectionId);
      if (text === undefined) return 'store-unavailable';
      const { version, kind, name, value } = decodeStaticSecret(text);
      // A newer one is fine: its state is on the way. An older one was replaced, perhaps because it leaked.
      if (version < state.version) return 'store-unavailable';
      return {
        credential: { kind: kind === 'header' ? 'headers' : 'environment', values: { [name]: value } },
        version,
        generation: version,
        expiresAtMs: null,
      };
    } catch (error) {
      this.failed(connectionId, error);
      return 'store-unavailable';
    }
  }
}
