import { AdminError } from '@warder/service-host';
import { z } from 'zod';

/** Upstream, tool, id of the principal and of the credential; a part that a use does not have is empty. */
export type UseKey = readonly [upstream: string, tool: string, principalId: string, agentId: string];

/** Where a page of uses begins: the first day (`YYYY-MM-DD`) that is counted, and the last use of the page before. */
export interface UseCursor {
  readonly from: string;
  readonly after?: UseKey | undefined;
}

const CursorText = z.tuple([z.iso.date(), z.string(), z.string(), z.string(), z.string()]);

export function encodeUseCursor(from: string, after: UseKey): string {
  return Buffer.from(JSON.stringify([from, ...after])).toString('base64url');
}

/** @throws AdminError 400 WDR_BODY_INVALID for a text that no page gave */
export function decodeUseCursor(text: string): UseCursor {
  const found = CursorText.safeParse(parsed(Buffer.from(text, 'base64url').toString()));
  if (!found.success) throw new AdminError(400, 'WDR_BODY_INVALID', 'cursor: not one that a page gave');
  const [from, ...after] = found.data;
  return { from, after };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
