import { type ApprovalDecided, approvalDecidedTopic } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import type { EntityManager } from 'typeorm';
import type { NoticesStore } from '../notices/notices.store.js';
import type { ApprovalRow, ApprovalStatus } from './approval-view.js';

const ACTS: Readonly<Record<ApprovalStatus, string>> = {
  pending: 'ask',
  approved: 'approve',
  denied: 'deny',
  expired: 'expire',
  outdated: 'outdate',
  redeemed: 'redeem',
};

export interface TellParts {
  readonly outbox: Pick<Outbox, 'enqueue' | 'recordAdminAction'>;
  readonly notices: Pick<NoticesStore, 'put'>;
  readonly wallMs: () => number;
  readonly onStatus: (status: ApprovalStatus | 'limit') => void;
}

/** Puts what became of a question on record, and tells others of it, in the transaction of the change. */
export async function tellOf(
  { outbox, notices, wallMs, onStatus }: TellParts,
  manager: EntityManager,
  row: ApprovalRow,
  by: AdminActor,
): Promise<void> {
  const { id, status, request, reason, decided_by: deciderId, redeemed_by: callId } = row;
  const { principalId, agent, virtualServer, upstream, tool, definitionHash, argumentsDigest, holds } = request;
  onStatus(status);
  await outbox.recordAdminAction(manager, {
    action: `approval.${ACTS[status]}`,
    by,
    arguments: {
      id,
      principalId,
      agent,
      virtualServer,
      upstream,
      tool,
      definitionHash,
      argumentsDigest,
      heldBy: holds.map(({ by: holder, rule }) => `${holder} ${rule}`),
      ...(reason === null ? {} : { reason }),
      ...(callId === null ? {} : { callId }),
    },
  });
  await notices.put(manager, row);
  if (status === 'pending') return;
  const about = { principalId, virtualServer, upstream, tool, callId, deciderId, reason };
  const told: ApprovalDecided = { approvalId: id, decision: status, ...about, atMs: wallMs() };
  await outbox.enqueue(manager, approvalDecidedTopic, id, told);
}
