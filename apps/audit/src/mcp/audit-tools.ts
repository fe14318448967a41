import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js';
import { AuditCallsQuery, WhoUsedQuery } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { AdminError, type Clock } from '@warder/service-host';
import { z } from 'zod';
import type { CallStore } from '../call.store.js';
import type { QueryLog } from '../query-log.js';

const SERVER = { name: 'warder-audit', version: '0.1.0' } as const;
const PAGE_MAX = 50;
const PAGE = 20;
const READ_ONLY = { readOnlyHint: true, openWorldHint: false } as const;
const CURSOR = 'nextCursor of the page before, with the same filters';

const { shape } = AuditCallsQuery;
/** The filters of the admin door, told to a model; a page is shorter, for it stands in the model's context. */
const FindCalls = AuditCallsQuery.extend({
  from: shape.from.describe('ISO 8601 with an offset, inclusive'),
  to: shape.to.describe('ISO 8601 with an offset, exclusive'),
  human: shape.human.describe('id, e-mail address or name of a person'),
  agent: shape.agent.describe('id or name of a credential'),
  tool: shape.tool.describe("the upstream's own name of the tool"),
  code: shape.code.describe('of a refusal, such as WDR_TOOL_UNKNOWN'),
  text: shape.text.describe("any part of the arguments' JSON, in any case"),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE),
  cursor: shape.cursor.describe(CURSOR),
});
const GetCall = z.strictObject({ recordId: z.uuid().describe('recordId of a call that was found') });
const WhoUsed = WhoUsedQuery.extend({
  days: WhoUsedQuery.shape.days.describe('whole days in UTC, today included'),
  source: WhoUsedQuery.shape.source.describe('`archive` also counts days that have left the database'),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE),
  cursor: WhoUsedQuery.shape.cursor.describe(CURSOR),
});

export interface AuditToolsParts {
  readonly store: CallStore;
  readonly log: QueryLog;
  readonly clock: Clock;
  /** Told of a failure that is a bug, which nobody else is told of. */
  readonly onBug: (error: unknown) => void;
}

/**
 * The questions of the admin door as tools, read-only, for one asker.
 * @param asker - an auditor; undefined may list the tools and call none
 */
export function auditTools({ store, log, clock, onBug }: AuditToolsParts, asker: AdminActor | undefined): McpServer {
  const server = new McpServer(SERVER, { capabilities: { tools: {} } });
  const answer = async (action: string, asked: object, ask: () => Promise<string>): Promise<CallToolResult> => {
    try {
      if (asker === undefined) throw new AdminError(403, 'WDR_ROLE_MISSING', 'needs the role auditor');
      // As text and not taken apart: numbers of records survive to the digit.
      return { content: [{ type: 'text', text: await log.answer(asker, action, asked, ask) }] };
    } catch (error) {
      if (!(error instanceof AdminError)) onBug(error);
      const { code, message } =
        error instanceof AdminError ? error : { code: 'WDR_INTERNAL', message: 'internal error' };
      return { content: [{ type: 'text', text: `${code}: ${message}` }], isError: true };
    }
  };
  server.registerTool(
    'find_calls',
    {
      description:
        'Finds records of tool calls, refusals, sign-ins and changes, newest first. Filters that are given must all ' +
        'hold. The last page is the one whose nextCursor is null; a page may be short and not the last.',
      inputSchema: FindCalls,
      annotations: READ_ONLY,
    },
    (query) => answer('call.list', query, () => store.calls(query)),
  );
  server.registerTool(
    'get_call',
    { description: 'One record, whole, byte for byte as written.', inputSchema: GetCall, annotations: READ_ONLY },
    ({ recordId }) => answer('call.read', { recordId }, () => store.call(recordId)),
  );
  server.registerTool(
    'who_used',
    {
      description:
        'Which agents used which tools of an upstream, under whose identity, how often, and with what arguments.',
      inputSchema: WhoUsed,
      annotations: READ_ONLY,
    },
    (query) => answer('use.list', query, () => store.whoUsed(query, clock.wallMs())),
  );
  return server;
}
