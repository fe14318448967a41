import type { LeaseRefusal } from '@warder/contracts';
import type { PrincipalDirectory } from '@warder/tokens';
import type { LeaseAsked, Leased, LeaseSource } from '../leases/lease-source.js';
import type { DiscoveredProviders } from '../discovery/discovered-providers.js';
import type { ConnectionTokens } from './connection-tokens.js';
import type { ConnectionsStore } from './connections.store.js';
import type { UpstreamAuthsStore } from './upstream-auths.store.js';

export interface ConnectionLeaseSourceParts {
  readonly connections: Pick<ConnectionsStore, 'find'>;
  readonly auths: Pick<UpstreamAuthsStore, 'find'>;
  readonly discovered: Pick<DiscoveredProviders, 'mayServe'>;
  readonly tokens: Pick<ConnectionTokens, 'credentialOf' | 'refused'>;
  readonly directory: Pick<PrincipalDirectory, 'principalById'>;
  readonly failed: (connectionId: string, error: unknown) => void;
}

/**
 * Leases of connections to accounts: to calls of the person whose connection it is, or of anybody where it is shared, and
 * of upstreams that take connections of this provider only.
 */
export class ConnectionLeaseSource implements LeaseSource {
  constructor(private readonly parts: ConnectionLeaseSourceParts) {}

  owns(connectionId: string): boolean {
    return connectionId.startsWith('con_');
  }

  async leaseOf(asked: LeaseAsked): Promise<Leased | LeaseRefusal> {
    try {
      return await this.lease(asked);
    } catch (error) {
      this.parts.failed(asked.connectionId, error);
      return 'store-unavailable';
    }
  }

  private async lease({
    connectionId,
    upstream,
    principalId,
    refusedGeneration,
  }: LeaseAsked): Promise<Leased | LeaseRefusal> {
    const { connections, auths, tokens, directory, discovered } = this.parts;
    const [connection, auth] = await Promise.all([connections.find(connectionId), auths.find(upstream)]);
    if (connection === undefined || (connection.principalId ?? '') !== principalId) return 'connection-unknown';
    if (auth?.provider !== connection.provider || auth.kind !== connection.kind) return 'connection-unknown';
    if (!(await discovered.mayServe(connection.provider, upstream))) return 'connection-unknown';
    // Before the connection is ended somebody who left is known to have: a node that did not hear of it gets nothing.
    if (principalId !== '' && directory.principalById(principalId)?.status !== 'active') return 'connection-revoked';
    if (connection.status === 'reconnect_required') return 'reconnect-required';
    if (connection.status !== 'active') return 'connection-revoked';
    if (refusedGeneration !== null) await tokens.refused(connectionId, refusedGeneration);
    const credential = await tokens.credentialOf(connectionId);
    // It stands, and nothing could be had for it now.
    if (credential.kind === 'missing' && credential.status === 'active') return 'store-unavailable';
    if (credential.kind === 'missing')
      return credential.status === 'reconnect_required' ? 'reconnect-required' : 'connection-revoked';
    const { version, generation, expiresAtMs } = credential;
    return { credential: credential.credential, version, generation, expiresAtMs };
  }
}
