import { AdminError } from '@warder/service-host';

/** Where the next page of uses begins: the first day (`YYYY-MM-DD`) that is counted, and how many uses came before. */
export interface UseCursor {
  readonly from: string;
  readonly skip: number;
}

export function encodeUseCursor({ from, skip }: UseCursor): string {
  return Buffer.from(`${from} ${skip}`).toString('base64url');
}

/** @throws AdminError 400 WDR_BODY_INVALID for a text that no page gave */
export function decodeUseCursor(text: string): UseCursor {
  const found = /^(\d{4}-\d\d-\d\d) (\d{1,9})$/.exec(Buffer.from(text, 'base64url').toString('latin1'));
  // A day that no calendar has is moved by Date, or is none.
  const day = found === null ? Number.NaN : Date.parse(`${found[1]}T00:00:00Z`);
  if (found === null || Number.isNaN(day) || !new Date(day).toISOString().startsWith(found[1]!)) {
    throw new AdminError(400, 'WDR_BODY_INVALID', 'cursor: not one that a page gave');
  }
  return { from: found[1]!, skip: Number(found[2]) };
}
