import { randomBytes } from 'node:crypto';
import {
  type ApprovalAnswered,
  approvalAnsweredTopic,
  type ApprovalRequested,
  type DecideApproval,
  type PrincipalState,
} from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import type { ApprovalsConfig } from './approvals-config.js';
import { type ApprovalRow, type ApprovalView, viewOf } from './approval-view.js';
import { answerOf, changed, openOf, unknownApproval } from './approval-rows.store.js';
import { maySee, type People, whyNot, whyNotHere } from './may-decide.js';
import { tellOf, type TellParts } from './tell-of.store.js';

const DAY_MS = 86_400_000;
const NOBODY: AdminActor = { principal: null, token: null, address: '' };

export interface ApprovalsStoreParts extends TellParts {
  readonly source: DataSource;
  readonly people: People;
  readonly bounds: ApprovalsConfig;
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

  /** @throws AdminError 403 WDR_APPROVAL_FORBIDDEN, 404 WDR_APPROVAL_UNKNOWN, 409 WDR_APPROVAL_CLOSED */
  async decide(id: string, { decision, reason }: DecideApproval, deciding: Deciding): Promise<ApprovalView> {
    const { principal } = deciding.by;
    const { people } = this.parts;
    const nowMs = this.parts.wallMs();
    return this.parts.source.transaction(async (manager) => {
      const [row]: ApprovalRow[] = await manager.query('SELECT * FROM approval WHERE id = $1 FOR UPDATE', [id]);
      if (row === undefined || !maySee(row.request, principal, people)) throw unknownApproval();
      const why = whyNotHere(row.request, principal, people, deciding.isOnPage);
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

  private tell(manager: EntityManager, row: ApprovalRow, by: AdminActor): Promise<void> {
    return tellOf(this.parts, manager, row, by);
  }

  private actorOf({ principalId, actors }: ApprovalRequested): AdminActor {
    return { principal: this.parts.people(principalId) ?? null, token: null, actors, address: '' };
  }
}
