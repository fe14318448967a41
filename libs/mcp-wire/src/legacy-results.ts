import { isObject } from './era.js';
import { stringifyJson } from './json.js';
import type { ServerFace, ToolsPage } from './revision.js';

// Members that only the modern era knows, and `execution`, for a task's result would bypass the guardrails.
const MODERN_RESULT_MEMBERS = ['resultType', 'ttlMs', 'cacheScope', 'requestState', 'inputRequests'];

/** JSON text of a legacy `initialize` result. */
export function encodeInitialize(protocolVersion: string, face: ServerFace): string {
  return JSON.stringify({
    protocolVersion,
    capabilities: face.capabilities,
    serverInfo: face.server,
    ...(face.instructions === undefined ? {} : { instructions: face.instructions }),
  });
}

/** JSON text of a legacy tools/list result; `dropped` names the members of a tool that the revision does not know. */
export function encodeLegacyTools(page: ToolsPage, dropped: readonly string[]): string {
  return stringifyJson({
    tools: page.tools.map((tool) => legacyTool(tool, dropped)),
    nextCursor: page.nextCursor,
    _meta: page.meta,
  });
}

/** JSON text of a legacy tools/call result: modern members leave, structuredContent is an object. */
export function encodeLegacyResult(result: Readonly<Record<string, unknown>>): string {
  const structured = result['structuredContent'];
  const mustWrap = structured !== undefined && !isObject(structured);
  if (!mustWrap && !MODERN_RESULT_MEMBERS.some((member) => member in result)) return stringifyJson(result);
  const legacy: Record<string, unknown> = { ...result };
  for (const member of MODERN_RESULT_MEMBERS) delete legacy[member];
  if (mustWrap) legacy['structuredContent'] = { result: structured };
  return stringifyJson(legacy);
}

function legacyTool(tool: Readonly<Record<string, unknown>>, dropped: readonly string[]): Record<string, unknown> {
  const legacy: Record<string, unknown> = { ...tool };
  for (const member of dropped) delete legacy[member];
  const schema = legacy['outputSchema'];
  if (isObject(schema) && schema['type'] !== 'object') {
    legacy['outputSchema'] = { type: 'object', properties: { result: schema }, required: ['result'] };
  }
  return legacy;
}
