import type { ProgressToken } from './client-message.js';
import { stringifyJson } from './json.js';

/** A tools/call result that tells the model why nothing (useful) happened; `code` stands in `_meta` for machines. */
export function toolError(text: string, code?: string): Record<string, unknown> {
  return {
    content: [{ type: 'text', text }],
    isError: true,
    ...(code === undefined ? {} : { _meta: { 'warder/code': code } }),
  };
}

/** JSON text of a notification. */
export function encodeNotification(method: string, params: Readonly<Record<string, unknown>>): string {
  return `{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":${stringifyJson(params)}}`;
}

/** JSON text of a progress notification under the receiving hop's own token: tokens are valid on one hop only. */
export function encodeProgress(token: ProgressToken, params: Readonly<Record<string, unknown>>): string {
  return encodeNotification('notifications/progress', { ...params, progressToken: token });
}
