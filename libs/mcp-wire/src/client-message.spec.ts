import { describe, expect, it } from 'vitest';
import { type ClientMessage, parseClientMessage } from './client-message.js';
import type { ProtocolError } from './protocol-error.js';

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const HEADERS = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'echo' };
const modernCall = (params: object = {}) =>
  JSON.stringify({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'echo', arguments: {}, _meta: META, ...params },
  });
const errorOf = (message: ClientMessage | ProtocolError) =>
  message.kind === 'error' ? [message.status, message.code] : message.kind;

describe('parseClientMessage', () => {
  it('takes a modern call with its envelope', () => {
    const message = parseClientMessage(modernCall({ _meta: { ...META, progressToken: 'p' } }), HEADERS);
    expect(message).toMatchObject({
      kind: 'request',
      era: 'modern',
      protocolVersion: '2026-07-28',
      idJson: '1',
      method: 'tools/call',
      progressToken: 'p',
      clientCapabilities: {},
      sessionToken: undefined,
    });
  });

  it('takes a legacy call under its session, and an initialize without one', () => {
    const body = '{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"echo"}}';
    const headers = { 'mcp-session-id': 's', 'mcp-protocol-version': '2025-06-18' };
    expect(parseClientMessage(body, headers)).toMatchObject({
      era: 'legacy',
      protocolVersion: '2025-06-18',
      sessionToken: 's',
      idJson: '"a"',
    });
    const initialize = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}';
    expect(parseClientMessage(initialize, {})).toMatchObject({ era: 'legacy', protocolVersion: '2025-11-25' });
  });

  it.each([
    ['{"jsonrpc":"2.0","id":1', 400, -32700],
    ['', 400, -32700],
    ['[]', 400, -32600],
    ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', 400, -32600],
    ['"text"', 400, -32600],
    ['{"id":1,"method":"ping"}', 400, -32600],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600],
    ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 400, -32600],
    ['{"jsonrpc":"2.0","id":1e400,"method":"ping"}', 400, -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600],
    ['{"jsonrpc":"2.0","id":1,"method":7}', 400, -32600],
    ['{"jsonrpc":"2.0","id":1}', 400, -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}', 400, -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 400, -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":3}}', 400, -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}', 200, -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":[]}}', 200, -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":{}}}}', 200, -32602],
    ['{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}', 200, -32602],
  ])('answers %s with HTTP %i and %i', (body, status, code) => {
    expect(errorOf(parseClientMessage(body, {}))).toStrictEqual([status, code]);
  });

  it.each([
    '{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","m\\u0065thod":"tools/call"}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","NAME":"b"}}',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{},"argument\u017f":{"x":1}}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"a":1,"a":2}}}',
    '{"jsonrpc":"2.0","id":1,"method":"ping","params":{},"params":{"name":"b"}}',
  ])('refuses envelope keys that parsers read differently: %s', (body) => {
    expect(errorOf(parseClientMessage(body, {}))).toStrictEqual([400, -32600]);
  });

  it('leaves the keys of arguments to the tool', () => {
    const body =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"Name":1,"ID":2,"_META":3}}}';
    expect(errorOf(parseClientMessage(body, {}))).toBe('request');
  });

  it('gives an id past 2^53 back to the digit', () => {
    const message = parseClientMessage('{"jsonrpc":"2.0","id":9223372036854775807,"method":"ping"}', {});
    expect(message.idJson).toBe('9223372036854775807');
  });

  it('refuses a depth of 10,000 as an invalid request', () => {
    const body = `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
    expect(errorOf(parseClientMessage(body, {}))).toStrictEqual([400, -32600]);
  });

  it.each([
    ['without its version header', { ...HEADERS, 'mcp-protocol-version': undefined }],
    ['with another version header', { ...HEADERS, 'mcp-protocol-version': '2025-11-25' }],
    ['without Mcp-Method', { ...HEADERS, 'mcp-method': undefined }],
    ['with another Mcp-Method', { ...HEADERS, 'mcp-method': 'tools/list' }],
    ['without Mcp-Name', { ...HEADERS, 'mcp-name': undefined }],
    ['with another Mcp-Name', { ...HEADERS, 'mcp-name': 'delete' }],
    ['with a Mcp-Name of broken Base64', { ...HEADERS, 'mcp-name': '=?base64?ZWNobw?=' }],
    ['with two Mcp-Name headers', { ...HEADERS, 'mcp-name': ['echo', 'echo'] }],
  ])('refuses a modern call %s with -32020', (_case, headers) => {
    expect(errorOf(parseClientMessage(modernCall(), headers))).toStrictEqual([400, -32020]);
  });

  it('accepts Mcp-Name in its Base64 form', () => {
    const headers = { ...HEADERS, 'mcp-name': '=?base64?ZWNobw==?=' };
    expect(errorOf(parseClientMessage(modernCall(), headers))).toBe('request');
  });

  it('answers an unknown modern version with what it supports', () => {
    const meta = { ...META, 'io.modelcontextprotocol/protocolVersion': '2099-01-01' };
    const headers = { ...HEADERS, 'mcp-protocol-version': '2099-01-01' };
    expect(parseClientMessage(modernCall({ _meta: meta }), headers)).toMatchObject({
      status: 400,
      code: -32022,
      data: { supported: ['2026-07-28'], requested: '2099-01-01' },
    });
  });

  it('answers a modern request without its envelope with -32602 and names what is missing', () => {
    expect(parseClientMessage(modernCall({ _meta: undefined }), HEADERS)).toMatchObject({
      status: 400,
      code: -32602,
      data: {
        envelope: {
          missing: ['io.modelcontextprotocol/protocolVersion', 'io.modelcontextprotocol/clientCapabilities'],
        },
      },
    });
  });

  it('refuses initialize under a modern header, a foreign legacy version and a modern response', () => {
    const initialize = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}';
    expect(errorOf(parseClientMessage(initialize, { 'mcp-protocol-version': '2026-07-28' }))).toStrictEqual([
      400, -32020,
    ]);
    const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
    expect(errorOf(parseClientMessage(ping, { 'mcp-protocol-version': '1999-01-01' }))).toStrictEqual([400, -32000]);
    const response = '{"jsonrpc":"2.0","id":1,"result":{}}';
    expect(errorOf(parseClientMessage(response, { 'mcp-protocol-version': '2026-07-28' }))).toStrictEqual([
      400, -32600,
    ]);
    expect(parseClientMessage(response, { 'mcp-session-id': 's' })).toMatchObject({
      kind: 'response',
      answer: { result: {} },
    });
  });

  it.each(['"params":1.0', '"params":{"name":"echo","arguments":1.0}', '"params":{"name":"echo","_meta":-0}'])(
    'takes a number past a double for a number and never for an object: %s',
    (params) => {
      const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call",${params}}`;
      expect(parseClientMessage(body, { 'mcp-session-id': 's' })).toMatchObject({ kind: 'error', code: -32602 });
    },
  );
});
