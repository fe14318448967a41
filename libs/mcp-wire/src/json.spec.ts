import { describe, expect, it } from 'vitest';
import { JsonError, LosslessNumber, parseJson, stringifyJson } from './json.js';

const kindOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof JsonError ? error.kind : String(error);
  }
};

describe('parseJson and stringifyJson', () => {
  it.each([
    '{"id":9223372036854775807}',
    '[1e400,-0,1.0,0.1,1E5,-1e-7,0.0000001,123456789012345678901234567890.5]',
    '{"a":[{"b":{"c":-0}}],"d":"1e400 -0 \\" 1.0","e":true,"f":null,"g":false,"h":{},"i":[]}',
    '9007199254740993',
    '{"x":12345678901234567}',
  ])('writes %s back to the digit', (text) => {
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  it('gives plain values where doubles suffice, the card-length integer included', () => {
    const value = parseJson('{"a":1,"b":-2.5,"card":4111111111111111,"s":"1e400"}');
    expect(value).toStrictEqual({ a: 1, b: -2.5, card: 4_111_111_111_111_111, s: '1e400' });
  });

  it('opens only the numbers at risk and keeps the others plain', () => {
    const value = parseJson('{ "a" : 1 , "b" : [ 2 , 1e400 ] }') as { a: unknown; b: unknown[] };
    expect(value.a).toBe(1);
    expect(value.b[1]).toBeInstanceOf(LosslessNumber);
    expect(stringifyJson(value)).toBe('{"a":1,"b":[2,1e400]}');
  });

  it('makes "__proto__" a member and never a prototype', () => {
    const value = parseJson('{"__proto__":{"admin":true},"n":1e400}') as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(stringifyJson(value)).toBe('{"__proto__":{"admin":true},"n":1e400}');
  });

  it.each(['[', '{"a":', '{"a" 1}', '01', '-', '1e', '"\u0001"', 'nul', '', '{"a":1}}', "{'a':1}", '1e400 2', '"\\'])(
    'refuses %j as no JSON',
    (text) => {
      expect(kindOf(() => parseJson(text))).toBe('syntax');
    },
  );

  it('refuses a depth of 10,000 without overflowing the stack', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const text = `${open.repeat(10_000)}1e400${close.repeat(10_000)}`;
      expect(kindOf(() => parseJson(text))).toBe('depth');
    }
  });

  it('allows exactly the depth it is given', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
    expect(kindOf(() => parseJson(nested(64)))).toBeUndefined();
    expect(kindOf(() => parseJson(nested(65)))).toBe('depth');
    expect(kindOf(() => parseJson('{"s":"[[[["}', 1))).toBeUndefined();
  });

  it('answers a value nested too deeply with its own error when writing', () => {
    let value: unknown = 1;
    for (let i = 0; i < 100_000; i += 1) value = [value];
    expect(kindOf(() => stringifyJson(value))).toBe('depth');
  });

  it('writes lone surrogates as escapes, so that bytes stay UTF-8', () => {
    expect(stringifyJson(parseJson('"\\ud800"'))).toBe('"\\ud800"');
    expect(stringifyJson(parseJson('["\\ud800",1e400]'))).toBe('["\\ud800",1e400]');
  });

  it('reads as JSON.parse does whatever is generated', () => {
    let seed = 7;
    const random = (below: number) => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % below;
    const make = (depth: number): unknown => {
      const kind = random(depth > 4 ? 4 : 6);
      if (kind === 0) return random(1_000_000) / 8;
      if (kind === 1) return 'a"\\\n\u2028é[{,:1e5-0'.slice(0, random(16));
      if (kind === 2) return random(2) === 0;
      if (kind === 3) return null;
      if (kind === 4) return Array.from({ length: random(4) }, () => make(depth + 1));
      return Object.fromEntries(Array.from({ length: random(4) }, (_, i) => [`k"${i}`, make(depth + 1)]));
    };
    for (let i = 0; i < 500; i += 1) {
      const value = make(0);
      const spaced = JSON.stringify({ value, exact: 0 }, null, random(3)).replace(/"exact": ?0/, '"exact":1e400');
      expect((parseJson(spaced) as { value: unknown }).value).toStrictEqual(value);
    }
  });
});
