import { describe, expect, it } from 'vitest';
import { LosslessNumber } from '../json.js';
import { paramHeaderList, readParamHeaders } from './param-headers.js';

const annotated = (type: string, name: unknown) => ({ type, 'x-mcp-header': name });
const schema = (properties: object, rest: object = {}) => ({ type: 'object', properties, ...rest });

describe('readParamHeaders', () => {
  it('finds annotations at any depth of properties', () => {
    const nested = schema({ region: annotated('string', 'Region'), deep: schema({ n: annotated('integer', 'N') }) });
    expect(readParamHeaders(nested)).toStrictEqual([
      { path: ['region'], name: 'Region' },
      { path: ['deep', 'n'], name: 'N' },
    ]);
    expect(readParamHeaders(schema({ plain: { type: 'string' } }))).toStrictEqual([]);
  });

  it.each([
    ['an empty name', schema({ a: annotated('string', '') })],
    ['a name that is no token', schema({ a: annotated('string', 'a b') })],
    ['a line break in a name', schema({ a: annotated('string', 'a\r\nb') })],
    ['a type that is not primitive', schema({ a: annotated('number', 'A') })],
    ['the same name in another case', schema({ a: annotated('string', 'A'), b: annotated('string', 'a') })],
    ['a place under items', schema({ a: { type: 'array', items: annotated('string', 'A') } })],
    ['a place under oneOf', schema({ a: { oneOf: [annotated('string', 'A')] } })],
    ['a place under $defs', schema({}, { $defs: { x: annotated('string', 'A') } })],
    ['the root', { ...schema({}), 'x-mcp-header': 'A' }],
  ])('calls a tool invalid for %s', (_what, inputSchema) => {
    expect(readParamHeaders(inputSchema)).toBeUndefined();
  });
});

describe('paramHeaderList', () => {
  const headers = ['a', 'b', 'c', 'd', 'toString'].map((name) => ({ path: [name], name }));
  it('repeats primitives and nothing else', () => {
    const args = { a: 'grüße', b: true, c: new LosslessNumber('9223372036854775807'), d: null };
    expect(paramHeaderList(headers, args)).toStrictEqual([
      'mcp-param-a',
      '=?base64?Z3LDvMOfZQ==?=',
      'mcp-param-b',
      'true',
      'mcp-param-c',
      '9223372036854775807',
    ]);
  });
});
