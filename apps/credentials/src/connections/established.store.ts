import { randomBytes } from 'node:crypto';
import type { ConnectionKind } from '@warder/contracts';
import type { GrantedTokens, ProviderAccount } from '@warder/provider-catalog';
import type { EntityManager } from 'typeorm';
import { Connection } from './connection.entity.js';
import { FORGOTTEN } from './connection-row.js';

/** A link that somebody has just consented to. */
export interface Established {
  readonly provider: string;
  /** Of `placeOf`: from where the tokens are. */
  readonly place: string;
  readonly kind: ConnectionKind;
  /** Null: shared. */
  readonly principalId: string | null;
  readonly account: ProviderAccount | undefined;
  readonly tokens: GrantedTokens;
  /** What else the provider says of the account. */
  readonly facts: Readonly<Record<string, string>>;
  /** As asked, for a provider that does not say what it granted. */
  readonly scopes: readonly string[];
}

/** The row of a link, and where `locked` is said nobody else changes it until the transaction ends. */
export async function findLinked(
  manager: EntityManager,
  link: Established,
  hold?: 'locked',
): Promise<Connection | undefined> {
  const { provider, kind, principalId } = link;
  const query = manager
    .createQueryBuilder(Connection, 'connection')
    .where('provider = :provider AND kind = :kind', { provider, kind })
    .andWhere(`coalesce(principal_id, '') = :principalId`, { principalId: principalId ?? '' });
  return (await (hold === undefined ? query : query.setLock('pessimistic_write')).getOne()) ?? undefined;
}

/** A row for a link that nobody had before: of generation 0, not written. */
export function freshLinked({ provider, kind, principalId }: Established): Connection {
  return {
    ...FORGOTTEN,
    id: `con_${randomBytes(12).toString('base64url')}`,
    version: 0,
    status: 'active',
    reason: null,
    kind,
    provider,
    principalId,
    ownerId: principalId,
    accountId: null,
    accountName: null,
    generation: 0,
    facts: {},
    scopes: [],
    isResting: false,
    connectedAtMs: '0',
    changedAtMs: '0',
  };
}
