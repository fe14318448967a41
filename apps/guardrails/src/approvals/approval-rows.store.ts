import type { ApprovalAnswered } from '@warder/contracts';
import type { EntityManager } from 'typeorm';
import type { ApprovalRow } from './approval-view.js';

/** How many questions are open, and of them those of a principal. */
export async function openOf(manager: EntityManager, principalId: string): Promise<{ all: number; own: number }> {
  const [counted] = (await manager.query(
    `SELECT count(*)::int AS all, count(*) FILTER (WHERE principal_id = $1)::int AS own FROM approval
     WHERE is_open AND status IN ('pending', 'approved')`,
    [principalId],
  )) as [{ all: number; own: number }];
  return counted;
}

/** The rows that a statement changed; the driver gives an `UPDATE` a count beside them. */
export async function changed(
  manager: EntityManager,
  sql: string,
  parameters: readonly unknown[],
): Promise<ApprovalRow[]> {
  const result: unknown = await manager.query(sql, [...parameters]);
  const [first] = result as unknown[];
  return (Array.isArray(first) ? first : result) as ApprovalRow[];
}

/** How a question stands, as its node is told. */
export function answerOf(
  status: ApprovalAnswered['status'],
  { id, expires_at_ms: expiresAtMs, reason }: ApprovalRow,
): Omit<ApprovalAnswered, 'node' | 'requestId'> {
  return { status, approvalId: id, expiresAtMs: Number(expiresAtMs), reason: status === 'denied' ? reason : null };
}
