import { newNonce } from '../../wire-agent.js';
import { callText, ENVELOPE, type HostileRequest } from '../8-bad-input/hostile-client.js';

/** A place of a message, the code it is refused with (`none`: it is answered), and the message with a secret there. */
export type Refused = [what: string, code: string, sent: (key: string, card: string) => HostileRequest];
/** Of the call whose client names itself after a secret. */
export const CLAIMING_NONCE = newNonce();

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list",';
const other = (method: string) => ({ 'mcp-method': method, 'mcp-name': undefined });
const named = (name: string) => ({ 'mcp-name': name });

/** Wherever a client may write a secret besides the arguments of a call that is made. */
export const REFUSED: Refused[] = [
  [
    'arguments of a tool that is not there',
    'WDR_TOOL_UNKNOWN',
    (key, card) => ({ body: callText(`{"a":"${key} ${card}"}`, 'known__none'), headers: named('known__none') }),
  ],
  [
    'arguments of a tool that is not granted',
    'WDR_TOOL_UNKNOWN',
    (key, card) => ({
      body: callText(`{"a":"${key} ${card}"}`, 'everything__echo'),
      headers: named('everything__echo'),
    }),
  ],
  ['the name of a tool', 'WDR_TOOL_UNKNOWN', (key) => ({ body: callText('{}', key), headers: named(key) })],
  [
    'the name of a method',
    'WDR_METHOD_UNKNOWN',
    (key) => ({ body: `{"jsonrpc":"2.0","id":1,"method":"${key}",${ENVELOPE}}`, headers: other(key) }),
  ],
  ['the name of a virtual server', 'WDR_VIRTUAL_SERVER_UNKNOWN', (key) => ({ path: `/mcp/${key}` })],
  ['the query of a path', 'none', (key, card) => ({ path: `/mcp/known?key=${key}&card=${encodeURIComponent(card)}` })],
  [
    'half of JSON',
    'WDR_MESSAGE_INVALID',
    (key, card) => ({ body: `{"jsonrpc":"2.0","id":1,"key":"${key}","card":"${card}"` }),
  ],
  [
    'a key that comes twice',
    'WDR_MESSAGE_INVALID',
    (key) => ({ body: `${LIST}"${key}":1,"${key}":2,${ENVELOPE}}`, headers: other('tools/list') }),
  ],
  ['a header that disagrees', 'WDR_MESSAGE_INVALID', (key) => ({ headers: { 'mcp-name': key, 'mcp-method': key } })],
  [
    'a revision',
    'WDR_MESSAGE_INVALID',
    (key) => ({ headers: { 'mcp-protocol-version': key }, body: callText('{}').replaceAll('2026-07-28', key) }),
  ],
  [
    'a session',
    'WDR_SESSION_UNKNOWN',
    (key) => ({
      headers: { ...other('ping'), 'mcp-protocol-version': '2025-11-25', 'mcp-session-id': key },
      body: '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    }),
  ],
  ['a token', 'WDR_TOKEN_UNKNOWN', (key) => ({ headers: { authorization: `Bearer wdr_${key}` } })],
  ['a scheme of its own', 'WDR_TOKEN_MISSING', (key) => ({ headers: { authorization: `Token ${key}` } })],
  ['a Host', 'WDR_HOST_UNKNOWN', (key) => ({ headers: { host: `${key}.example` } })],
  ['an Origin', 'WDR_ORIGIN_FORBIDDEN', (key) => ({ headers: { origin: `https://${key}.example` } })],
  ['a content type', 'WDR_CONTENT_TYPE_UNSUPPORTED', (key) => ({ headers: { 'content-type': `text/${key}` } })],
  ['an Accept', 'WDR_ACCEPT_UNSUPPORTED', (key) => ({ headers: { accept: `text/${key}` } })],
  [
    'what a client calls itself',
    'none',
    (key, card) => ({
      body: callText(`{"nonce":"${CLAIMING_NONCE}"}`).replace(
        '"_meta":{',
        `"_meta":{"io.modelcontextprotocol/clientInfo":{"name":"${key}","version":"${card}"},`,
      ),
    }),
  ],
  [
    'the id, the token and the trace of a call',
    'none',
    (key) => ({
      body: callText(`{"nonce":"${newNonce()}"}`)
        .replace('"id":1', `"id":"${key}"`)
        .replace('"_meta":{', `"_meta":{"progressToken":"${key}","traceparent":"${key}","tracestate":"${key}",`),
      headers: { accept: 'application/json' },
    }),
  ],
];
