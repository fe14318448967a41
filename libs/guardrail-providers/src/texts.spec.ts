import { describe, expect, it } from 'vitest';
import { joinTexts, withCuts } from './texts.js';

const value = {
  content: [
    { type: 'text', text: 'by Grace' },
    { type: 'text', text: 'Hopper, 1952' },
  ],
  n: 7,
};
const joined = joinTexts(value);
const cut = (start: number, end: number) => ({ start, end, placeholder: '[x]' });

describe('the texts of a value', () => {
  it('are joined in their order, without pictures', () => {
    expect(joined.text).toBe('by Grace\nHopper, 1952');
    expect(joinTexts({ type: 'image', data: 'QUJD', mimeType: 'image/png' }).text).toBe('');
  });

  it('are cut where a span says, in each string that it covers, and the rest stays as it is', () => {
    expect(withCuts(value, joined, [cut(3, 15)])).toEqual({
      content: [
        { type: 'text', text: 'by [x]' },
        { type: 'text', text: '[x], 1952' },
      ],
      n: 7,
    });
    expect(withCuts(value, joined, [])).toBe(value);
  });

  it('have cuts that overlap made once', () => {
    expect(withCuts('abcdefgh', joinTexts('abcdefgh'), [cut(1, 4), cut(2, 6), cut(3, 4)])).toBe('a[x]gh');
    expect(withCuts('abcdefgh', joinTexts('abcdefgh'), [cut(1, 2), cut(4, 5)])).toBe('a[x]cd[x]fgh');
  });
});
