import type { ApprovalAnswered } from '@warder/contracts';
import { AdminError } from '@warder/service-host';
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

/** The place of a row in the list: open ones first, each the newest first. */
export interface RowPlace {
  readonly isOpen: boolean;
  readonly requestedAtMs: number;
  readonly id: string;
}

/**
 * Rows of a status, or of all, from a place on and not so many rows on, for one that is closed meanwhile would push
 * another out of sight. Each of the two orders has an index, so that a page costs what it shows.
 */
export function rowsFrom(
  source: Pick<DataSource, 'query'>,
  rowsMax: number,
  status: string | undefined,
  behind: RowPlace | undefined,
): Promise<ApprovalRow[]> {
  const values: unknown[] = [];
  const put = (value: unknown) => `$${values.push(value)}`;
  const conditions = [
    ...(status === undefined ? [] : [`status = ${put(status)}`]),
    ...(behind === undefined
      ? []
      : [
          `(is_open, requested_at_ms, id) < (${put(behind.isOpen)}, ${put(behind.requestedAtMs)}::bigint, ${put(behind.id)})`,
        ]),
  ];
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const order = 'ORDER BY is_open DESC, requested_at_ms DESC, id DESC';
  return source.query(`SELECT * FROM approval ${where} ${order} LIMIT ${put(rowsMax)}`, values);
}

/** The rows that a statement changed; the driver gives an `UPDATE` a count beside them. */
export async function changed<Row = ApprovalRow>(
  manager: EntityManager,
  sql: string,
  parameters: readonly unknown[],
): Promise<Row[]> {
  const result: unknown = await manager.query(sql, [...parameters]);
  const [first] = result as unknown[];
  return (Array.isArray(first) ? first : result) as Row[];
}

/** How a question stands, as its node is told. */
export function answerOf(
  status: ApprovalAnswered['status'],
  { id, expires_at_ms: expiresAtMs, reason }: ApprovalRow,
): Omit<ApprovalAnswered, 'node' | 'requestId'> {
  return { status, approvalId: id, expiresAtMs: Number(expiresAtMs), reason: status === 'denied' ? reason : null };
}

/** Said of what there is not, and of what is none of theirs. */
export function unknownApproval(): AdminError {
  return new AdminError(404, 'WDR_APPROVAL_UNKNOWN', 'there is no such approval');
}
