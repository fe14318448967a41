import { isObject, META_SERVER_INFO, META_SUBSCRIPTION_ID, type ServerInfo } from './era.js';
import { encodeAnswer } from './protocol-error.js';

/** The one method by which a modern client subscribes; records name the stream of a legacy session by it too. */
export const LISTEN = 'subscriptions/listen';

const FLAGS = ['toolsListChanged', 'promptsListChanged', 'resourcesListChanged'];

/**
 * Whether the parameters of a `subscriptions/listen` ask for changes of the tools; undefined where they are no filter.
 * @see MCP 2026-07-28, patterns/subscriptions, "Notification Filter"
 */
export function asksForTools(params: Readonly<Record<string, unknown>>): boolean | undefined {
  const filter = params['notifications'];
  if (!isObject(filter)) return undefined;
  const { resourceSubscriptions: resources = [] } = filter;
  if (FLAGS.some((flag) => filter[flag] !== undefined && typeof filter[flag] !== 'boolean')) return undefined;
  if (!Array.isArray(resources) || !resources.every((uri) => typeof uri === 'string')) return undefined;
  return filter['toolsListChanged'] === true;
}

/** The first message of a modern subscription: which part of its filter is honoured. @param idJson - of the request */
export function encodeAcknowledged(idJson: string, isOfTools: boolean): string {
  const honoured = isOfTools ? '{"toolsListChanged":true}' : '{}';
  return notification('notifications/subscriptions/acknowledged', `"notifications":${honoured},${metaText(idJson)}`);
}

/** Says that the caller's list of tools is another one. @param idJson - of the request that subscribed; undefined: none did */
export function encodeToolsChanged(idJson?: string): string {
  return notification('notifications/tools/list_changed', idJson === undefined ? '' : metaText(idJson));
}

/** The answer that ends a subscription in good order. */
export function encodeListenEnd(idJson: string, server: ServerInfo): string {
  const meta = `"${META_SUBSCRIPTION_ID}":${idJson},"${META_SERVER_INFO}":${JSON.stringify(server)}`;
  return encodeAnswer(idJson, `{"resultType":"complete","_meta":{${meta}}}`);
}

function notification(method: string, members: string): string {
  return `{"jsonrpc":"2.0","method":"${method}","params":{${members}}}`;
}

function metaText(idJson: string): string {
  return `"_meta":{"${META_SUBSCRIPTION_ID}":${idJson}}`;
}
