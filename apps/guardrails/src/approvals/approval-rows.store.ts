import type { ApprovalAnswered } from '@warder/contracts';
import type { DataSource, EntityManager } from 'typeorm';
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

/**
 * Rows of a status, or of all, open ones first, each the newest first, behind a row: from a row on and not so many rows
 * on, for one that is closed meanwhile would push another out of sight.
 */
export function rowsFrom(
  source: Pick<DataSource, 'query'>,
  rowsMax: number,
  status: string | undefined,
  last: ApprovalRow | undefined,
): Promise<ApprovalRow[]> {
  return source.query(
    `SELECT * FROM approval WHERE ($1::text IS NULL OR status = $1)
       AND ($3::boolean IS NULL OR (is_open, requested_at_ms, id) < ($3, $4::bigint, $5::text))
     ORDER BY is_open DESC, requested_at_ms DESC, id DESC LIMIT $2`,
    [status ?? null, rowsMax, last?.is_open ?? null, last?.requested_at_ms ?? null, last?.id ?? null],
  );
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
