import { describe, expect, it } from 'vitest';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.js';

describe('Mcp-* header values', () => {
  it.each(['echo', 'a b', ' lead', 'grüße', '=?base64?eA==?=', '', 'line\nbreak', '\u{1F512}', '\uFEFFbom'])(
    'carry %j over a header and back',
    (value) => {
      const header = encodeHeaderValue(value);
      expect(header).toMatch(/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/);
      expect(decodeHeaderValue(header)).toBe(value);
    },
  );

  it.each(['=?base64?eA?=', '=?base64?/w==?=', '=?base64?e A=?='])('refuse the sentinel %s', (header) => {
    expect(decodeHeaderValue(header)).toBeUndefined();
  });
});
