import type { PrincipalState } from '@warder/contracts';
import { AdminError } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import { type ApprovalRow, type ApprovalView, viewOf } from './approval-view.js';
import type { Deciding } from './approvals.store.js';
import { type RowPlace, rowsFrom, unknownApproval } from './approval-rows.store.js';
import { maySee, type People, whyNotHere } from './may-decide.js';

export const PAGE_MAX = 500;
const READ_AT_ONCE = 500;
/** Rows that one page looks through at most. */
const READ_MAX = 20_000;

/** Which page of the list is meant. */
export interface PageAsked {
  readonly status?: string | undefined;
  /** Where the page before ended. */
  readonly cursor?: string | undefined;
  /** 1 to 500; 500 unless said otherwise. */
  readonly limit?: number | undefined;
}

export interface ApprovalsPage {
  readonly approvals: ApprovalView[];
  /** Where the next page begins; null behind the last one. */
  readonly cursor: string | null;
}

export interface ApprovalsReaderParts {
  readonly source: Pick<DataSource, 'query'>;
  readonly people: People;
}

/** Questions as somebody is shown them: who may see one is said by people as they are now, which no database knows. */
export class ApprovalsReader {
  constructor(private readonly parts: ApprovalsReaderParts) {}

  /**
   * What the visitor may see, open ones first, each the newest first, each once. A page that has looked through 20,000
   * of others ends there, and may be short with another one behind it.
   * @throws AdminError 400 WDR_BODY_INVALID for a cursor that no page gave
   */
  async page(visitor: PrincipalState, { status, cursor, limit = PAGE_MAX }: PageAsked = {}): Promise<ApprovalsPage> {
    const { source, people } = this.parts;
    const seen = new Map<string, ApprovalView>();
    let place = cursor === undefined ? undefined : placeOf(cursor);
    for (let read = 0; read < READ_MAX; read += READ_AT_ONCE) {
      const rows = await rowsFrom(source, READ_AT_ONCE, status, place);
      for (const row of rows) {
        // Full, and there is more: the next page begins behind what this one looked at.
        if (seen.size === limit) return { approvals: [...seen.values()], cursor: cursorOf(place!) };
        if (!seen.has(row.id) && maySee(row.request, visitor, people)) seen.set(row.id, viewOf(row));
        place = { isOpen: row.is_open, requestedAtMs: Number(row.requested_at_ms), id: row.id };
      }
      if (rows.length < READ_AT_ONCE) return { approvals: [...seen.values()], cursor: null };
    }
    return { approvals: [...seen.values()], cursor: cursorOf(place!) };
  }

  /** @throws AdminError 404 WDR_APPROVAL_UNKNOWN, of what is none of theirs too */
  async get(id: string, visitor: PrincipalState): Promise<ApprovalView> {
    const [row]: ApprovalRow[] = await this.parts.source.query('SELECT * FROM approval WHERE id = $1', [id]);
    if (row === undefined || !maySee(row.request, visitor, this.parts.people)) throw unknownApproval();
    return viewOf(row);
  }

  /** Why the person may not decide about it; undefined where they may. */
  async whyNot(id: string, { by, isOnPage }: Deciding): Promise<string | undefined> {
    const [row]: ApprovalRow[] = await this.parts.source.query('SELECT * FROM approval WHERE id = $1', [id]);
    if (row === undefined) return 'there is no such approval';
    return whyNotHere(row.request, by.principal, this.parts.people, isOnPage);
  }
}

function cursorOf({ isOpen, requestedAtMs, id }: RowPlace): string {
  return Buffer.from(`${isOpen ? 1 : 0} ${requestedAtMs} ${id}`).toString('base64url');
}

function placeOf(cursor: string): RowPlace {
  const found = /^([01]) (\d{1,15}) (apr_[\w-]{16})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (found === null) throw new AdminError(400, 'WDR_BODY_INVALID', 'cursor: not one that a page gave');
  return { isOpen: found[1] === '1', requestedAtMs: Number(found[2]), id: found[3]! };
}
