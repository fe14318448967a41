import { describe, expect, it } from 'vitest';
import { encodeSseId, encodeSseMessage } from './sse.js';
import { asksForTools, encodeAcknowledged, encodeListenEnd, encodeToolsChanged } from './subscriptions.js';

const ID = 'io.modelcontextprotocol/subscriptionId';

describe('a subscription', () => {
  it.each([
    [{ notifications: { toolsListChanged: true } }, true],
    [{ notifications: { toolsListChanged: false, resourceSubscriptions: ['file:///x'] } }, false],
    [{ notifications: {} }, false],
    [{}, undefined],
    [{ notifications: [] }, undefined],
    [{ notifications: { toolsListChanged: 'yes' } }, undefined],
    [{ notifications: { toolsListChanged: true, promptsListChanged: 1 } }, undefined],
    [{ notifications: { resourceSubscriptions: [1] } }, undefined],
    [{ notifications: { resourceSubscriptions: 'file:///x' } }, undefined],
  ])('reads the filter of %j as %s', (params, asked) => {
    expect(asksForTools(params)).toBe(asked);
  });

  it('carries the id of its request in every message, to the byte', () => {
    expect(JSON.parse(encodeAcknowledged('"L1"', true))).toStrictEqual({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { toolsListChanged: true }, _meta: { [ID]: 'L1' } },
    });
    expect(encodeAcknowledged('9223372036854775807', false)).toContain(`{},"_meta":{"${ID}":9223372036854775807}`);
    expect(JSON.parse(encodeToolsChanged('7'))).toStrictEqual({
      jsonrpc: '2.0',
      method: 'notifications/tools/list_changed',
      params: { _meta: { [ID]: 7 } },
    });
    expect(JSON.parse(encodeListenEnd('7', { name: 'w', version: '1' }))).toMatchObject({
      id: 7,
      result: { resultType: 'complete', _meta: { [ID]: 7 } },
    });
  });

  it('of a legacy session has messages without one, and events that can be told apart', () => {
    expect(encodeToolsChanged()).toBe('{"jsonrpc":"2.0","method":"notifications/tools/list_changed","params":{}}');
    expect(encodeSseMessage('{}', 'a.1')).toBe('event: message\nid: a.1\ndata: {}\n\n');
    expect(encodeSseId('a.0')).toBe('id: a.0\ndata: \n\n');
  });
});
