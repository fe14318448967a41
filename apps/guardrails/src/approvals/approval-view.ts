import type { ApprovalRequested } from '@warder/contracts';

export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'outdated' | 'redeemed';

/** A row of the database. */
export interface ApprovalRow {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly is_open: boolean;
  readonly request: ApprovalRequested;
  readonly requested_at_ms: string;
  readonly expires_at_ms: string;
  readonly decided_by: string | null;
  readonly decider_name: string | null;
  readonly reason: string | null;
  readonly decided_at_ms: string | null;
  readonly redeemed_by: string | null;
  readonly redeemed_at_ms: string | null;
}

/** A question about one call, as people and programs are shown it; times are wall milliseconds. */
export interface ApprovalView extends Omit<ApprovalRequested, 'requestId' | 'node' | 'atMs' | 'answerByMs' | 'terms'> {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly approvers: ApprovalRequested['terms'];
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
  readonly decided: {
    readonly by: string;
    readonly name: string;
    readonly atMs: number;
    readonly reason: string;
  } | null;
  /** The call that used it up. */
  readonly redeemed: { readonly callId: string; readonly atMs: number } | null;
}

export function viewOf(row: ApprovalRow): ApprovalView {
  const { requestId: _call, node: _node, atMs: _at, answerByMs: _by, terms, ...asked } = row.request;
  return {
    ...asked,
    id: row.id,
    status: row.status,
    approvers: terms,
    askedAtMs: Number(row.requested_at_ms),
    expiresAtMs: Number(row.expires_at_ms),
    decided:
      row.decided_by === null
        ? null
        : {
            by: row.decided_by,
            name: row.decider_name ?? '',
            atMs: Number(row.decided_at_ms),
            reason: row.reason ?? '',
          },
    redeemed: row.redeemed_by === null ? null : { callId: row.redeemed_by, atMs: Number(row.redeemed_at_ms) },
  };
}
