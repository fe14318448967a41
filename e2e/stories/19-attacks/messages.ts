import { LEGACY_VERSIONS, revisionOf } from '@warder/mcp-wire';
import { ClientNotificationSchema, ClientRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { request } from 'undici';
import type { Answered, AttackedScene, Proof } from './attacked-scene.js';

export const MODERN = '2026-07-28';
/** Every revision that is served. */
export const REVISIONS: readonly string[] = [...LEGACY_VERSIONS, MODERN];

/**
 * Every message that clients of MCP may send, and what whoever may everything is answered, in either era. A method that
 * the protocol's schemas or a revision of ours have and this table does not fails the walk.
 */
const TABLE = `
message                                         | legacy     | modern
initialize                                      | 200        | 200
server/discover                                 | 200 -32601 | 200
ping                                            | 200        | 404 -32601
tools/list                                      | 200        | 200
tools/call {"name":"known__echo"}               | 200        | 200
tools/call {"name":"known__add"}                | 200        | 200
tools/call {"name":"known__nothing"}            | 200 -32602 | 200 -32602
prompts/list                                    | 200 -32601 | 404 -32601
prompts/get {"name":"x"}                        | 200 -32601 | 404 -32601
resources/list                                  | 200 -32601 | 404 -32601
resources/templates/list                        | 200 -32601 | 404 -32601
resources/read {"uri":"file:///etc/passwd"}     | 200 -32601 | 404 -32601
resources/subscribe {"uri":"file:///x"}         | 200 -32601 | 404 -32601
resources/unsubscribe {"uri":"file:///x"}       | 200 -32601 | 404 -32601
completion/complete                             | 200 -32601 | 404 -32601
logging/setLevel {"level":"debug"}              | 200 -32601 | 404 -32601
subscriptions/listen                            | 200 -32601 | 200 -32602
tasks/list                                      | 200 -32601 | 404 -32601
tasks/get {"taskId":"x"}                        | 200 -32601 | 404 -32601
tasks/result {"taskId":"x"}                     | 200 -32601 | 404 -32601
tasks/cancel {"taskId":"x"}                     | 200 -32601 | 404 -32601
admin/anything                                  | 200 -32601 | 404 -32601
notifications/initialized                       | 202        | 202
notifications/cancelled {"requestId":1}         | 202        | 202
notifications/progress                          | 202        | 202
notifications/roots/list_changed                | 202        | 202
notifications/tasks/status                      | 202        | 202
`;

export interface MessageRow {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly legacy: string;
  readonly modern: string;
}

export const MESSAGES: readonly MessageRow[] = TABLE.trim()
  .split('\n')
  .slice(1)
  .map((row) => {
    const [message = '', legacy = '', modern = ''] = row.split('|').map((cell) => cell.trim());
    const [method = '', params = '{}'] = message.split(' ', 2);
    return { method, params: JSON.parse(params) as MessageRow['params'], legacy, modern };
  });

/** Methods of the official schemas, and of every revision that is served. */
export function methodsOfTheProtocol(): readonly string[] {
  const official = [...ClientRequestSchema.options, ...ClientNotificationSchema.options].map(
    ({ shape }) => shape.method.value as string,
  );
  const served = REVISIONS.flatMap((revision) => [...(revisionOf(revision)?.methods ?? [])]);
  return [...new Set([...official, ...served])];
}

/** Sends one message of a revision to a virtual server. */
export function send(
  scene: AttackedScene,
  proof: Proof,
  {
    revision,
    session,
    method,
    params,
  }: { revision: string; session?: string | undefined } & Omit<MessageRow, 'legacy' | 'modern'>,
): Promise<Answered> {
  const isModern = revision === MODERN;
  const isRequest = !method.startsWith('notifications/');
  const client = { name: 'attacker', version: '1' };
  const meta = {
    'io.modelcontextprotocol/protocolVersion': revision,
    'io.modelcontextprotocol/clientCapabilities': {},
    'io.modelcontextprotocol/clientInfo': client,
  };
  const greeting = { protocolVersion: revision, capabilities: {}, clientInfo: client };
  const all = { ...(method === 'initialize' ? greeting : {}), ...params, ...(isModern ? { _meta: meta } : {}) };
  const message = { jsonrpc: '2.0', ...(isRequest ? { id: 7 } : {}), method, params: all };
  const named = params['name'] ?? params['uri'];
  const headers = {
    accept: 'application/json, text/event-stream',
    ...(isModern || session !== undefined ? { 'mcp-protocol-version': revision } : {}),
    ...(isModern ? { 'mcp-method': method, ...(typeof named === 'string' ? { 'mcp-name': named } : {}) } : {}),
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
    ...proof.headers,
  };
  const body = { type: 'application/json', text: JSON.stringify(message) };
  return scene.ask('POST', '/mcp/known', { ...proof, headers }, body);
}

/** Asks for the stream of a session, and hangs up on one that opens. */
export async function openStream(
  scene: AttackedScene,
  { headers, query }: Proof,
  revision: string,
  session: string | undefined,
): Promise<Answered> {
  const answer = await request(`${scene.running.url}/mcp/known${query === undefined ? '' : `?${query}`}`, {
    headers: {
      accept: 'text/event-stream',
      'mcp-protocol-version': revision,
      'last-event-id': 'AAAAAAAAAAAAAAAAAAAAAA.0.1',
      ...(session === undefined ? {} : { 'mcp-session-id': session }),
      ...headers,
    },
  });
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
  const text = isStream ? '' : await answer.body.text();
  answer.body.on('error', () => undefined).destroy();
  return { status: answer.statusCode, headers: answer.headers, text };
}

/** Status, and the code of an error. */
export function toldByAgentsDoor({ status, text }: Answered): string {
  const json = text.startsWith('{') ? text : (/^data: (\{.*)$/m.exec(text)?.[1] ?? '{}');
  const { error } = JSON.parse(json) as { error?: { code: number; data?: { code?: string } } };
  return error === undefined ? String(status) : `${status} ${error.data?.code ?? error.code}`;
}
