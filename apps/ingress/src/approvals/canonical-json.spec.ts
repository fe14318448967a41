import { parseJson } from '@warder/mcp-wire';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.js';

const of = (text: string) => canonicalJson(parseJson(text));

describe('the canonical text of arguments', () => {
  it.each([
    ['{"a":1,"b":2}', '{"b":2,"a":1}'],
    ['{"a":{"x":[1,2],"y":null}}', '{ "a" : {"y":null, "x":[1, 2]} }'],
    ['1', '1.0'],
    ['100', '1e2'],
    ['0.001', '1E-3'],
    ['0', '-0'],
    ['1e400', '10e399'],
    ['12345678901234567890', '12345678901234567890.0'],
    ['"é"', '"\\u00e9"'],
  ])('is one for %s and %s', (one, other) => expect(of(one)).toBe(of(other)));

  it.each([
    ['9007199254740993', '9007199254740992'],
    ['1', '"1"'],
    ['1', '1.0000000000000000001'],
    ['1', '-1'],
    ['1e99999999999999999998', '1e99999999999999999999'],
    ['"a"', '"a "'],
    ['"é"', '"e\\u0301"'],
    ['[1,2]', '[2,1]'],
    ['{"a":null}', '{}'],
    ['[]', '{}'],
    ['{"a":"b\\",\\"c\\":\\"d"}', '{"a":"b","c":"d"}'],
  ])('tells %s from %s', (one, other) => expect(of(one)).not.toBe(of(other)));
});
