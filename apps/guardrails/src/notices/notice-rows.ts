/** A notice on its way to one receiver, or what is left of one that never arrived. */
export interface NoticeRow {
  readonly id: string;
  readonly webhook: string;
  /** Of the question, or of the notice itself where it is about none. */
  readonly approval_id: string;
  readonly event: string;
  /** The `webhook-id`: the same however often it is posted. */
  readonly message_id: string;
  readonly body: string;
  /** Posts that were begun. */
  readonly attempts: number;
  readonly created_at_ms: string;
  readonly last_error: string | null;
}

/** A dead letter, as operators are shown it. */
export interface DeadLetter {
  readonly id: string;
  readonly approvalId: string;
  readonly event: string;
  readonly attempts: number;
  readonly createdAtMs: number;
  readonly lastError: string;
}

/** How a receiver is doing; times are wall milliseconds. */
export interface WebhookReport {
  readonly name: string;
  readonly url: string;
  readonly events: readonly string[];
  /** null: about whatever anybody decides. */
  readonly groups: readonly string[] | null;
  readonly waiting: number;
  readonly deadLetters: number;
  readonly delivered: number;
  /** Never written down, since too many waited. */
  readonly dropped: number;
  readonly lastDeliveredAtMs: number | null;
  readonly lastFailedAtMs: number | null;
  readonly lastError: string | null;
}

export function deadLetterOf(row: NoticeRow): DeadLetter {
  return {
    id: row.id,
    approvalId: row.approval_id,
    event: row.event,
    attempts: row.attempts,
    createdAtMs: Number(row.created_at_ms),
    lastError: row.last_error ?? '',
  };
}
