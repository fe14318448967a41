import type { PrincipalState } from '@warder/contracts';
import type { EntityManager } from 'typeorm';
import { AccessHold, type Holder } from './access-hold.entity.js';

/** Keeps the principal out for this holder; again it changes nothing. */
export async function holdAccess(
  manager: EntityManager,
  principalId: string,
  holder: Holder,
  nowMs: number,
): Promise<void> {
  await manager.query(
    `INSERT INTO access_hold (principal_id, holder, since_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [principalId, holder, nowMs],
  );
}

/** Takes back what this holder held, or, for nobody in particular, what anybody did. */
export async function releaseAccess(manager: EntityManager, principalId: string, holder?: Holder): Promise<void> {
  await manager.delete(AccessHold, { principalId, ...(holder === undefined ? {} : { holder }) });
}

/** Who keeps the principal out. */
export async function holdersOf(manager: EntityManager, principalId: string): Promise<ReadonlySet<Holder>> {
  const holds = await manager.findBy(AccessHold, { principalId });
  return new Set(holds.map(({ holder }) => holder));
}

/** A hold as an administrator sees it. */
export interface HoldView {
  readonly holder: Holder;
  readonly sinceMs: number;
}

/** Who keeps each of the principals out, the first one first; of who is kept out by nobody there is nothing. */
export async function holdsOf(
  manager: EntityManager,
  principalIds: readonly string[],
): Promise<ReadonlyMap<string, readonly HoldView[]>> {
  const rows: { principal_id: string; holder: Holder; since_ms: string }[] = await manager.query(
    'SELECT principal_id, holder, since_ms FROM access_hold WHERE principal_id = ANY ($1) ORDER BY since_ms, holder',
    [principalIds],
  );
  const holds = new Map<string, HoldView[]>();
  for (const { principal_id: id, holder, since_ms: sinceMs } of rows) {
    holds.set(id, [...(holds.get(id) ?? []), { holder, sinceMs: Number(sinceMs) }]);
  }
  return holds;
}

/** The status that follows from who holds; `removed` is final, whoever holds. */
export function statusUnder(before: PrincipalState['status'], holders: ReadonlySet<Holder>): PrincipalState['status'] {
  if (before === 'removed') return 'removed';
  return holders.size > 0 ? 'suspended' : 'active';
}
