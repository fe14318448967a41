import { isObject, META_SERVER_INFO, type ServerInfo } from '../era.js';
import { stringifyJson } from '../json.js';
import type { Revision } from '../revision.js';
import { LISTEN } from '../subscriptions.js';
import { URL_REQUEST_KEY } from '../url-request.js';

/** MCP 2026-07-28: stateless, every result says its type, lists say how they may be cached. */
export const revision20260728: Revision = {
  protocolVersion: '2026-07-28',
  era: 'modern',
  methods: new Set(['server/discover', 'tools/list', 'tools/call', LISTEN]),
  encodeGreeting: (face) =>
    JSON.stringify({
      supportedVersions: ['2026-07-28'],
      capabilities: face.capabilities,
      ...(face.instructions === undefined ? {} : { instructions: face.instructions }),
      ...listMembers,
      _meta: { [META_SERVER_INFO]: face.server },
    }),
  encodeToolsPage: (page, server) =>
    stringifyJson({
      tools: page.tools.map(withoutExecution),
      nextCursor: page.nextCursor,
      ...listMembers,
      _meta: { ...page.meta, [META_SERVER_INFO]: server },
    }),
  encodeResult,
  // No state goes with it: the next try is judged anew, and who it is, is in its token.
  askToOpen: ({ url, message }, server) => ({
    member: 'result',
    text: JSON.stringify({
      resultType: 'input_required',
      inputRequests: { [URL_REQUEST_KEY]: { method: 'elicitation/create', params: { mode: 'url', url, message } } },
      _meta: { [META_SERVER_INFO]: server },
    }),
  }),
  unknownMethodStatus: 404,
};

// Lists differ by principal: "private" keeps a cache from showing one principal's list to another.
const listMembers = { resultType: 'complete', ttlMs: 0, cacheScope: 'private' } as const;

/** Most results lack just the two members that are ours: they are written behind the others, without a copy (3 µs). */
function encodeResult(result: Readonly<Record<string, unknown>>, server: ServerInfo): string {
  const { resultType, _meta: meta } = result;
  if (meta !== undefined || (resultType !== undefined && resultType !== 'complete')) {
    return stringifyJson({ ...result, resultType: 'complete', _meta: withServer(meta, server) });
  }
  const text = stringifyJson(result);
  const comma = text === '{}' ? '' : ',';
  const type = resultType === undefined ? '"resultType":"complete",' : '';
  return `${text.slice(0, -1)}${comma}${type}"_meta":${serverMetaText(server)}}`;
}

const serverMetas = new WeakMap<ServerInfo, string>();

function serverMetaText(server: ServerInfo): string {
  let text = serverMetas.get(server);
  if (text === undefined) {
    text = JSON.stringify({ [META_SERVER_INFO]: server });
    serverMetas.set(server, text);
  }
  return text;
}

function withServer(meta: unknown, server: ServerInfo): Record<string, unknown> {
  return isObject(meta) ? { ...meta, [META_SERVER_INFO]: server } : { [META_SERVER_INFO]: server };
}

// A task's result is fetched later, past the guardrails, so no tool may offer to run as one.
function withoutExecution(tool: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...tool };
  delete shown['execution'];
  return shown;
}
