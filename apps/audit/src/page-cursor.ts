import { AdminError } from '@warder/service-host';

/** Where the next page begins: behind the row with this time (ISO 8601, microseconds) and id. */
export interface PageCursor {
  readonly at: string;
  readonly id: string;
}

export function encodeCursor({ at, id }: PageCursor): string {
  return Buffer.from(`${at} ${id}`).toString('base64url');
}

/** @throws AdminError 400 WDR_BODY_INVALID for a text that no page gave */
export function decodeCursor(text: string): PageCursor {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([0-9a-f-]{36,64})$/.exec(
    Buffer.from(text, 'base64url').toString('latin1'),
  );
  if (!found || Number.isNaN(Date.parse(found[1]!))) {
    throw new AdminError(400, 'WDR_BODY_INVALID', 'cursor: not one that a page gave');
  }
  return { at: found[1]!, id: found[2]! };
}
