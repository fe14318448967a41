import {
  META_CLIENT_CAPABILITIES,
  META_CLIENT_INFO,
  META_PROTOCOL_VERSION,
  MODERN_LATEST,
  stringifyJson,
} from '@warder/mcp-wire';
import type { UpstreamCall } from './upstream.js';

/** What this gateway says of itself to upstreams. */
export const CLIENT_INFO = { name: 'warder', version: '0.1.0' } as const;

/** The members of `_meta` that every modern request carries, without braces. */
const MODERN_META = JSON.stringify({
  [META_PROTOCOL_VERSION]: MODERN_LATEST,
  [META_CLIENT_CAPABILITIES]: {},
  [META_CLIENT_INFO]: CLIENT_INFO,
}).slice(1, -1);

/** JSON text of a tools/call of this hop. The request's id is its progress token too. */
export function callText(id: number, call: UpstreamCall, isModern: boolean): string {
  const args = call.argsText ?? (call.args === undefined ? '{}' : stringifyJson(call.args));
  let meta = isModern ? MODERN_META : '';
  if (call.onInterim !== undefined) meta += `${meta === '' ? '' : ','}"progressToken":${id}`;
  const carried = call.meta === undefined ? '' : carriedMeta(call.meta);
  if (carried !== '') meta += (meta === '' ? '' : ',') + carried;
  const tail = meta === '' ? '' : `,"_meta":{${meta}}`;
  return `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":${JSON.stringify(call.tool)},"arguments":${args}${tail}}}`;
}

/** JSON text of any other request of this hop. */
export function requestText(
  id: number | string,
  method: string,
  params: Readonly<Record<string, unknown>>,
  isModern: boolean,
): string {
  const members = Object.keys(params).length === 0 ? '' : JSON.stringify(params).slice(1, -1);
  const meta = isModern ? `"_meta":{${MODERN_META}}` : '';
  const comma = members !== '' && meta !== '' ? ',' : '';
  return `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"method":"${method}","params":{${members}${comma}${meta}}}`;
}

/** JSON text of the notification that cancels a legacy request, or a request on stdio. */
export function cancelText(id: number): string {
  return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id},"reason":"cancelled"}}`;
}

// The envelope of the client's hop ends here: it is written anew for the upstream's.
function carriedMeta(meta: Readonly<Record<string, unknown>>): string {
  let members = '';
  for (const key of Object.keys(meta)) {
    if (key === 'progressToken' || key.startsWith('io.modelcontextprotocol/')) continue;
    members += `${members === '' ? '' : ','}${JSON.stringify(key)}:${stringifyJson(meta[key])}`;
  }
  return members;
}

/** JSON text of the answer to a request of a server: none is served but `ping`. */
export function declineText(id: unknown, method: unknown): string {
  const idJson = JSON.stringify(id);
  if (method === 'ping') return `{"jsonrpc":"2.0","id":${idJson},"result":{}}`;
  return `{"jsonrpc":"2.0","id":${idJson},"error":{"code":-32601,"message":"Method not found"}}`;
}
