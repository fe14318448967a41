import { ToolDefinition } from '@warder/contracts';
import { isObject } from '@warder/mcp-wire';
import type { UpstreamAnswer } from './upstream.js';
import { UpstreamFailure } from './upstream-failure.js';

const PAGES_MAX = 1_000;
/** UTF-16 units of a tool's name, twice what MCP advises: it stands in records, and an index of their store holds it. */
const NAME_MAX = 256;

/** All tools of an upstream and how long it says that they stand (milliseconds, 0 if it does not say). */
export interface ToolList {
  readonly tools: ToolDefinition[];
  readonly ttlMs: number;
}

/**
 * Collects all pages of tools/list. Tools that are none are left out: one bad tool must not cost the others.
 * @param bounds - of all pages together, so that a list in many pages holds no more memory than one in a single page
 * @throws UpstreamFailure (protocol) for a list that is none, repeats its cursor or has too many tools; (too-large) for
 * one whose pages are longer than an answer may be
 */
export async function collectTools(
  ask: (params: Readonly<Record<string, unknown>>) => Promise<UpstreamAnswer>,
  { toolsMax, answerBytesMax }: { readonly toolsMax: number; readonly answerBytesMax: number },
): Promise<ToolList> {
  const tools: ToolDefinition[] = [];
  let bytesLeft = answerBytesMax;
  let cursor: string | undefined;
  let ttlMs = 0;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer = await ask(cursor === undefined ? {} : { cursor });
    // Its message is of any length, and may repeat the credential: it has no place in a log.
    if ('error' in answer) throw new UpstreamFailure('protocol', `tools/list: error ${answer.error.code}`, false);
    const { tools: listed, nextCursor, ttlMs: ttl } = answer.result;
    if (!Array.isArray(listed)) throw new UpstreamFailure('protocol', 'tools/list answers without tools', false);
    for (const tool of listed) {
      if (!isObject(tool)) continue;
      const text = JSON.stringify(tool);
      bytesLeft -= Buffer.byteLength(text);
      if (bytesLeft < 0) throw new UpstreamFailure('too-large', 'the pages of tools/list are too long', false);
      // Definitions are text to read and not values to act on: numbers may become doubles here.
      const parsed = ToolDefinition.safeParse(JSON.parse(text));
      if (parsed.success && parsed.data.name.length <= NAME_MAX) tools.push(parsed.data);
    }
    if (tools.length > toolsMax) throw new UpstreamFailure('protocol', `more than ${toolsMax} tools`, false);
    if (typeof ttl === 'number' && ttl > 0) ttlMs = ttl;
    if (typeof nextCursor !== 'string' || nextCursor === '') return { tools, ttlMs };
    if (nextCursor === cursor) throw new UpstreamFailure('protocol', 'tools/list repeats its cursor', false);
    cursor = nextCursor;
  }
  throw new UpstreamFailure('protocol', `tools/list has more than ${PAGES_MAX} pages`, false);
}
