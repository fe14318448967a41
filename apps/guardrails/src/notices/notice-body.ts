import type { ApprovalRow } from '../approvals/approval-view.js';
import type { ApprovalWebhook, NoticeEvent } from './webhook-settings.js';

export interface NoticeTerms {
  readonly nameOf: (principalId: string) => string;
  /** The page on which it is decided. */
  readonly pageUrl: (approvalId: string) => string;
  readonly withArguments: boolean;
  readonly nowMs: number;
}

export function eventOf({ status }: Pick<ApprovalRow, 'status'>): NoticeEvent {
  return status === 'pending' ? 'requested' : 'decided';
}

/** Whether the receiver is one for what has just become of the question. */
export function isTold({ events, groups }: Pick<ApprovalWebhook, 'events' | 'groups'>, row: ApprovalRow): boolean {
  if (!events.includes(eventOf(row))) return false;
  return groups === undefined || row.request.terms.by.some((group) => groups.includes(group));
}

/**
 * What is posted about a question: who asks what of whom and where it is decided. Of the arguments the digest, or, where
 * the operator said so, what the page shows, which never has a secret in it.
 */
export function noticeBody(row: ApprovalRow, { nameOf, pageUrl, withArguments, nowMs }: NoticeTerms): string {
  const { id, status, request, decided_by: by, redeemed_by: callId } = row;
  const { principalId, agent, actors, virtualServer, upstream, tool, holds, terms, argumentsDigest } = request;
  const person = (each: string) => ({ id: each, name: nameOf(each) });
  return JSON.stringify({
    type: `warder.approval.${eventOf(row)}`,
    timestamp: iso(nowMs),
    data: {
      approvalId: id,
      status,
      url: pageUrl(id),
      principal: person(principalId),
      agent,
      actors,
      virtualServer,
      upstream,
      tool,
      argumentsDigest,
      ...(withArguments && { arguments: request.arguments }),
      heldBy: holds.map(({ by: holder, rule, reason }) => ({ by: holder, rule, reason })),
      approvers: { groups: terms.by, fourEyes: terms.fourEyes },
      askedAt: iso(Number(row.requested_at_ms)),
      expiresAt: iso(Number(row.expires_at_ms)),
      decided: by === null ? null : { by: person(by), at: iso(Number(row.decided_at_ms)), reason: row.reason ?? '' },
      callId,
    },
  });
}

/** A post that asks for nothing, by which an operator sees whether a receiver hears. */
export function testBody(nowMs: number): string {
  return JSON.stringify({ type: 'warder.approval.test', timestamp: iso(nowMs), data: {} });
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
