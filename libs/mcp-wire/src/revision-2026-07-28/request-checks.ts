import type { ClientMessage, HeaderMap } from '../client-message.js';
import { isObject, META_CLIENT_CAPABILITIES, META_PROTOCOL_VERSION, MODERN_LATEST } from '../era.js';
import { decodeHeaderValue } from '../header-value.js';
import { type ProtocolError, ErrorCode, protocolError } from '../protocol-error.js';

type Call = Pick<ClientMessage, 'kind' | 'idJson' | 'method' | 'params' | 'meta'>;

/** Which member of `params` the `Mcp-Name` header mirrors. @see SEP-2243 */
export const NAME_SOURCE: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
]);

/** Proves the per-request envelope: required keys (-32602, 400) and a version we speak (-32022, 400). */
export function checkEnvelope(call: Call, headerVersion: string | undefined): ProtocolError | undefined {
  const version = call.meta[META_PROTOCOL_VERSION];
  const missing: string[] = [];
  if (typeof version !== 'string') missing.push(META_PROTOCOL_VERSION);
  if (!isObject(call.meta[META_CLIENT_CAPABILITIES])) missing.push(META_CLIENT_CAPABILITIES);
  if (missing.length > 0) {
    const message = `Invalid params: _meta lacks the required key(s): ${missing.join(', ')}`;
    return protocolError(400, ErrorCode.invalidParams, message, call.idJson, { envelope: { missing } });
  }
  if (headerVersion !== undefined && headerVersion !== version) {
    return mismatch(call, 'MCP-Protocol-Version', headerVersion, String(version));
  }
  if (version === MODERN_LATEST) return undefined;
  const data = { supported: [MODERN_LATEST], requested: version };
  return protocolError(400, ErrorCode.versionUnsupported, 'Unsupported protocol version', call.idJson, data);
}

/** Proves that the routing headers say what the body says; whoever routed by them must not have been told otherwise. */
export function checkHeaders(call: Call, headers: HeaderMap): ProtocolError | undefined {
  const version = single(headers, 'mcp-protocol-version');
  if (version === undefined) return missingHeader(call, 'MCP-Protocol-Version');
  const method = single(headers, 'mcp-method');
  if (method === undefined) return missingHeader(call, 'Mcp-Method');
  if (method !== call.method) return mismatch(call, 'Mcp-Method', method, call.method);
  const source = NAME_SOURCE.get(call.method);
  if (source === undefined) return undefined;
  const expected = call.params[source];
  const name = single(headers, 'mcp-name');
  if (name === undefined) return expected === undefined ? undefined : missingHeader(call, 'Mcp-Name');
  const decoded = decodeHeaderValue(name);
  if (decoded === undefined) return mismatch(call, 'Mcp-Name', name, 'a value that is canonical Base64');
  return expected === undefined || decoded === expected
    ? undefined
    : mismatch(call, 'Mcp-Name', name, typeof expected === 'string' ? expected : 'no text');
}

function single(headers: HeaderMap, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value.trim() : undefined;
}

function missingHeader(call: Call, name: string): ProtocolError {
  return protocolError(400, ErrorCode.headerMismatch, `Bad Request: the header ${name} is missing`, call.idJson);
}

function mismatch(call: Call, name: string, sent: string, body: string): ProtocolError {
  const message = `Bad Request: the header ${name} and the body disagree`;
  return protocolError(400, ErrorCode.headerMismatch, message, call.idJson, { mismatch: { header: sent, body } });
}
