import { randomBytes } from 'node:crypto';
import {
  type ApprovalAnswered,
  approvalAnsweredTopic,
  type ApprovalDecided,
  approvalDecidedTopic,
  type ApprovalRequested,
  type DecideApproval,
  type PrincipalState,
} from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import type { ApprovalsConfig } from './approvals-config.js';
import { type ApprovalRow, type ApprovalStatus, type ApprovalView, viewOf } from './approval-view.js';
import { answerOf, changed, openOf, rowsFrom } from './approval-rows.store.js';
import { isOfAskers, whyNot } from './may-decide.js';

const LIST_MAX = 500;
/** Rows that one list looks through at most. */
const READ_MAX = 20_000;
const DAY_MS = 86_400_000;
const NOBODY: AdminActor = { principal: null, token: null, address: '' };

export interface ApprovalsStoreParts {
  readonly source: DataSource;
  readonly outbox: Pick<Outbox, 'enqueue' | 'recordAdminAction'>;
  readonly people: (id: string) => PrincipalState | undefined;
  readonly bounds: ApprovalsConfig;
  readonly wallMs: () => number;
  readonly onStatus: (status: ApprovalStatus | 'limit') => void;
}

/** How somebody decides: on the page, where they sit in front of it, or with a bearer, which an agent may hold. */
export interface Deciding {
  readonly by: AdminActor & { readonly principal: PrincipalState };
  readonly isOnPage: boolean;
}

/** Every question about a held call, and the one place where an approval is used up. */
export class ApprovalsStore {
  constructor(private readonly parts: ApprovalsStoreParts) {}

  /** Answers a held call: uses its approval up, says how its question stands, or asks it. */
  async answer(request: ApprovalRequested): Promise<void> {
    // It waited as long as it could and has gone: a yes that it used up would be lost to the agent's next try.
    if (request.answerByMs < this.parts.wallMs()) return;
    await this.parts.source.transaction(async (manager) => {
      const answered = await this.found(manager, request);
      const { node, requestId } = request;
      await this.parts.outbox.enqueue(manager, approvalAnsweredTopic, node, { node, requestId, ...answered });
    });
  }

  /** What the visitor may see of 20,000, open ones first, each the newest first: 500 at most, each once. */
  async list(visitor: PrincipalState, status?: string): Promise<ApprovalView[]> {
    const seen = new Map<string, ApprovalView>();
    let last: ApprovalRow | undefined;
    // Who may see one is said by people as they are now, which the database does not know.
    for (let read = 0; seen.size < LIST_MAX && read < READ_MAX; read += LIST_MAX) {
      const rows = await rowsFrom(this.parts.source, LIST_MAX, status, last);
      for (const row of rows) if (!seen.has(row.id) && this.isVisible(row, visitor)) seen.set(row.id, viewOf(row));
      last = rows.at(-1);
      if (rows.length < LIST_MAX) break;
    }
    return [...seen.values()].slice(0, LIST_MAX);
  }

  /** @throws AdminError 404 WDR_APPROVAL_UNKNOWN, of what is none of theirs too */
  async get(id: string, visitor: PrincipalState): Promise<ApprovalView> {
    const [row]: ApprovalRow[] = await this.parts.source.query('SELECT * FROM approval WHERE id = $1', [id]);
    if (row === undefined || !this.isVisible(row, visitor)) throw unknown();
    return viewOf(row);
  }

  /** Why the person may not decide about it; undefined where they may. */
  async whyNot(id: string, { by, isOnPage }: Deciding): Promise<string | undefined> {
    const [row]: ApprovalRow[] = await this.parts.source.query('SELECT * FROM approval WHERE id = $1', [id]);
    return row === undefined ? 'there is no such approval' : this.whyNotOf(row, by.principal, isOnPage);
  }

  /** @throws AdminError 403 WDR_APPROVAL_FORBIDDEN, 404 WDR_APPROVAL_UNKNOWN, 409 WDR_APPROVAL_CLOSED */
  async decide(id: string, { decision, reason }: DecideApproval, deciding: Deciding): Promise<ApprovalView> {
    const { principal } = deciding.by;
    const nowMs = this.parts.wallMs();
    return this.parts.source.transaction(async (manager) => {
      const [row]: ApprovalRow[] = await manager.query('SELECT * FROM approval WHERE id = $1 FOR UPDATE', [id]);
      if (row === undefined || !this.isVisible(row, principal)) throw unknown();
      const why = this.whyNotOf(row, principal, deciding.isOnPage);
      if (why !== undefined) throw new AdminError(403, 'WDR_APPROVAL_FORBIDDEN', why);
      if (row.status !== 'pending' || Number(row.expires_at_ms) <= nowMs)
        throw new AdminError(
          409,
          'WDR_APPROVAL_CLOSED',
          'it is not open any more: somebody decided, or its time is over',
        );
      const status = decision === 'approve' ? 'approved' : 'denied';
      const expiresAtMs = nowMs + row.request.terms.minutes * 60_000;
      const [decided] = await changed(
        manager,
        `UPDATE approval SET status = $2, decided_by = $3, decider_name = $4, reason = $5, decided_at_ms = $6,
         expires_at_ms = $7 WHERE id = $1 RETURNING *`,
        [id, status, principal.id, principal.name, reason, nowMs, expiresAtMs],
      );
      await this.tell(manager, decided!, deciding.by);
      return viewOf(decided!);
    });
  }

  /** Ends what nobody decided or used in time, and forgets what is old. @returns how many ended */
  async sweep(): Promise<number> {
    const { source, wallMs, bounds } = this.parts;
    const nowMs = wallMs();
    return source.transaction(async (manager) => {
      await manager.query(
        `UPDATE approval SET is_open = false WHERE is_open AND status = 'denied' AND expires_at_ms <= $1`,
        [nowMs],
      );
      const ended = await changed(
        manager,
        `UPDATE approval SET status = 'expired', is_open = false WHERE id IN (
           SELECT id FROM approval WHERE is_open AND expires_at_ms <= $1 ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED
         ) RETURNING *`,
        [nowMs],
      );
      for (const row of ended) await this.tell(manager, row, NOBODY);
      await manager.query('DELETE FROM approval WHERE NOT is_open AND requested_at_ms < $1', [
        nowMs - bounds.keepDays * DAY_MS,
      ]);
      return ended.length;
    });
  }

  private async found(
    manager: EntityManager,
    request: ApprovalRequested,
  ): Promise<Omit<ApprovalAnswered, 'node' | 'requestId'>> {
    // A message that comes again is of the same call: what it used up is its own.
    const [own]: ApprovalRow[] = await manager.query('SELECT * FROM approval WHERE redeemed_by = $1', [
      request.requestId,
    ]);
    if (own !== undefined) return answerOf('redeemed', own);
    const [open]: ApprovalRow[] = await manager.query(
      'SELECT * FROM approval WHERE binding = $1 AND is_open FOR UPDATE',
      [request.binding],
    );
    const row = open === undefined ? undefined : await this.ended(manager, open, request);
    if (row === undefined) return this.opened(manager, request);
    if (row.status !== 'approved') return answerOf(row.status === 'denied' ? 'denied' : 'pending', row);
    const nowMs = this.parts.wallMs();
    const [redeemed] = await changed(
      manager,
      `UPDATE approval SET status = 'redeemed', is_open = false, redeemed_by = $2, redeemed_at_ms = $3
       WHERE id = $1 AND status = 'approved' AND expires_at_ms > $3 RETURNING *`,
      [row.id, request.requestId, nowMs],
    );
    await this.tell(manager, redeemed!, this.actorOf(request));
    return answerOf('redeemed', redeemed!);
  }

  /** @returns undefined where it has just ended: its time is over, or it was about other rules or another world */
  private async ended(
    manager: EntityManager,
    row: ApprovalRow,
    { policyVersion, guardrailsVersion }: ApprovalRequested,
  ): Promise<ApprovalRow | undefined> {
    const { people, wallMs } = this.parts;
    const isOver = Number(row.expires_at_ms) <= wallMs();
    const { request } = row;
    const isSame = request.policyVersion === policyVersion && request.guardrailsVersion === guardrailsVersion;
    // Whose yes it was has to be somebody who could give it still.
    const decider = row.decided_by === null ? undefined : people(row.decided_by);
    const isStanding =
      row.status !== 'approved' || (decider !== undefined && whyNot(request, decider, people) === undefined);
    if (!isOver && isSame && isStanding) return row;
    const status = isOver ? 'expired' : 'outdated';
    const [ended] = await changed(
      manager,
      `UPDATE approval SET is_open = false, status = CASE status WHEN 'denied' THEN status ELSE $2 END
       WHERE id = $1 RETURNING *`,
      [row.id, status],
    );
    if (ended!.status === status) await this.tell(manager, ended!, NOBODY);
    return undefined;
  }

  private async opened(
    manager: EntityManager,
    request: ApprovalRequested,
  ): Promise<Omit<ApprovalAnswered, 'node' | 'requestId'>> {
    const { bounds, wallMs, onStatus } = this.parts;
    let { all, own } = await openOf(manager, request.principalId);
    if (own >= bounds.openPerPrincipalMax) {
      const outdated = await this.endOutdated(manager, request);
      all -= outdated;
      own -= outdated;
    }
    if (all >= bounds.openMax || own >= bounds.openPerPrincipalMax) {
      onStatus('limit');
      return { status: 'limit', approvalId: null, expiresAtMs: null, reason: null };
    }
    const id = `apr_${randomBytes(12).toString('base64url')}`;
    const nowMs = wallMs();
    const [row] = await changed(
      manager,
      `INSERT INTO approval (id, binding, status, is_open, request, principal_id, requested_at_ms, expires_at_ms)
       VALUES ($1, $2, 'pending', true, $3, $4, $5, $6) RETURNING *`,
      [
        id,
        request.binding,
        JSON.stringify(request),
        request.principalId,
        nowMs,
        nowMs + request.terms.minutes * 60_000,
      ],
    );
    await this.tell(manager, row!, this.actorOf(request));
    return answerOf('pending', row!);
  }

  /** Ends the principal's questions under an older policy or older rules, whose yes would be void. @returns how many */
  private async endOutdated(manager: EntityManager, request: ApprovalRequested): Promise<number> {
    const rows: ApprovalRow[] = await manager.query(
      `SELECT * FROM approval WHERE principal_id = $1 AND is_open AND status IN ('pending', 'approved')
       FOR UPDATE SKIP LOCKED`,
      [request.principalId],
    );
    const older = rows.filter(
      (row) =>
        row.request.policyVersion < request.policyVersion || row.request.guardrailsVersion < request.guardrailsVersion,
    );
    for (const row of older) await this.ended(manager, row, request);
    return older.length;
  }

  /** Puts what became of a question on record, and tells others of it, in the transaction of the change. */
  private async tell(manager: EntityManager, row: ApprovalRow, by: AdminActor): Promise<void> {
    const { outbox, wallMs, onStatus } = this.parts;
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
    if (status === 'pending') return;
    const about = { principalId, virtualServer, upstream, tool, callId, deciderId, reason };
    const told: ApprovalDecided = { approvalId: id, decision: status, ...about, atMs: wallMs() };
    await outbox.enqueue(manager, approvalDecidedTopic, id, told);
  }

  private actorOf({ principalId, actors }: ApprovalRequested): AdminActor {
    return { principal: this.parts.people(principalId) ?? null, token: null, actors, address: '' };
  }

  private whyNotOf({ request }: ApprovalRow, decider: PrincipalState, isOnPage: boolean): string | undefined {
    const { people } = this.parts;
    const why = whyNot(request, decider, people);
    if (why !== undefined || isOnPage) return why;
    // The bearer may be the agent's own: it must not say yes to itself.
    return isOfAskers(request, decider, people)
      ? 'who asks decides on the page, signed in, and not with a token'
      : undefined;
  }

  private isVisible({ request }: ApprovalRow, visitor: PrincipalState): boolean {
    const { people } = this.parts;
    if (visitor.roles.some((role) => role === 'admin' || role === 'auditor')) return true;
    return isOfAskers(request, visitor, people) || whyNot(request, visitor, people) === undefined;
  }
}

const ACTS: Readonly<Record<ApprovalStatus, string>> = {
  pending: 'ask',
  approved: 'approve',
  denied: 'deny',
  expired: 'expire',
  outdated: 'outdate',
  redeemed: 'redeem',
};

function unknown(): AdminError {
  return new AdminError(404, 'WDR_APPROVAL_UNKNOWN', 'there is no such approval');
}
