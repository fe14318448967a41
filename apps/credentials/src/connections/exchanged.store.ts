import { randomBytes } from 'node:crypto';
import type { AdminAction } from '@warder/postgres';
import type { DataSource, EntityManager } from 'typeorm';
import { Connection } from './connection.entity.js';
import { FORGOTTEN, ITSELF, recordedOf } from './connection-row.js';
import { Provider } from './provider.entity.js';

/** Whoever writes connections. */
interface ConnectionWriter {
  readonly source: DataSource;
  save(manager: EntityManager, row: Connection, change: Partial<Connection>): Promise<Connection>;
  endTokens(manager: EntityManager, row: Connection, reason: string): Promise<void>;
  record(manager: EntityManager, action: AdminAction): Promise<void>;
}

/** Connections that are made in one go, of people who connected before there was the provider. */
const MADE_AT_A_TIME = 500;
const ACTIONS: Readonly<Record<Connection['status'], string>> = {
  active: 'connection.create',
  reconnect_required: 'connection.reconnect-required',
  disconnected: 'connection.disconnect',
  revoked: 'connection.revoke',
};

/**
 * Connections of the kind `token_exchange` have no consent of their own: they are as their person's connection at the provider
 * whose token is exchanged. When that one is made anew, has to be, or ends, so it is with them, in the same transaction; of
 * tokens that were had for it nothing is left.
 */
export async function followSubject(
  states: ConnectionWriter,
  manager: EntityManager,
  before: Connection,
  subject: Connection,
): Promise<void> {
  if (subject.kind !== 'oauth_user') return;
  if (before.status === subject.status && before.connectedAtMs === subject.connectedAtMs) return;
  for (const provider of await exchangingFrom(manager, subject.provider)) {
    const row = await manager.findOne(Connection, {
      where: { provider: provider.id, kind: 'token_exchange', principalId: subject.principalId! },
      lock: { mode: 'pessimistic_write' },
    });
    if (row === null && subject.status !== 'active') continue;
    const isOver = row?.status === 'disconnected' || row?.status === 'revoked';
    if (isOver && subject.status !== 'active') continue;
    await follow(states, manager, { subject, provider, row: row ?? fresh(subject, provider) });
  }
}

/** Makes what is missing, for a provider that was set up after people had connected. @returns whether there may be more */
export async function makeMissing(states: ConnectionWriter): Promise<boolean> {
  return states.source.transaction(async (manager) => {
    const found: { subject: string; provider: string }[] = await manager.query(
      `SELECT subject.id AS subject, provider.id AS provider FROM provider
       JOIN connection subject ON subject.provider = provider.exchange->>'from' AND subject.kind = 'oauth_user'
         AND subject.status = 'active'
       WHERE provider.status = 'active' AND NOT EXISTS (
         SELECT 1 FROM connection made WHERE made.provider = provider.id AND made.kind = 'token_exchange'
           AND made.principal_id = subject.principal_id)
       LIMIT ${MADE_AT_A_TIME} FOR UPDATE OF subject SKIP LOCKED`,
    );
    for (const each of found) {
      const subject = await manager.findOneByOrFail(Connection, { id: each.subject });
      const provider = await manager.findOneByOrFail(Provider, { id: each.provider });
      await follow(states, manager, { subject, provider, row: fresh(subject, provider) });
    }
    return found.length === MADE_AT_A_TIME;
  });
}

async function follow(
  states: ConnectionWriter,
  manager: EntityManager,
  of: { readonly subject: Connection; readonly provider: Provider; readonly row: Connection },
): Promise<void> {
  const { subject, provider, row } = of;
  await states.endTokens(manager, row, 'subject_changed');
  const isActive = subject.status === 'active';
  const next = await states.save(manager, row, {
    ...FORGOTTEN,
    status: subject.status,
    reason: isActive ? null : (subject.reason ?? 'subject_ended'),
    accountId: subject.accountId,
    accountName: subject.accountName,
    scopes: provider.scopes ?? [],
    // What was leased of another account is worth nothing from now on.
    generation: row.generation + 1,
    connectedAtMs: subject.connectedAtMs,
  });
  const action = isActive && row.version > 0 ? 'connection.replace' : ACTIONS[subject.status];
  await states.record(manager, { action, by: ITSELF, arguments: { ...recordedOf(next), subject: subject.id } });
}

function exchangingFrom(manager: EntityManager, provider: string): Promise<Provider[]> {
  return manager
    .createQueryBuilder(Provider, 'provider')
    .where(`provider.status = 'active' AND provider.exchange->>'from' = :provider`, { provider })
    .orderBy('provider.id')
    .getMany();
}

function fresh(subject: Connection, provider: Provider): Connection {
  return Object.assign({}, subject, FORGOTTEN, {
    id: `con_${randomBytes(12).toString('base64url')}`,
    version: 0,
    kind: 'token_exchange' as const,
    provider: provider.id,
    generation: 0,
    facts: {},
  });
}
