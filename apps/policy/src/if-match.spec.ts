import { describe, expect, it } from 'vitest';
import { etagOf, expectedVersionOf } from './if-match.js';

describe('If-Match', () => {
  it('takes the tag that was given out, and * for whatever is there', () => {
    expect(expectedVersionOf(etagOf(7))).toBe(7);
    expect(expectedVersionOf(' * ')).toBeUndefined();
  });

  it('is required', () => {
    for (const absent of [undefined, '', ' '])
      expect(() => expectedVersionOf(absent)).toThrow(
        expect.objectContaining({ status: 428, code: 'WDR_IF_MATCH_REQUIRED' }),
      );
  });

  it('never matches by a weak, foreign or listed tag', () => {
    for (const tag of ['W/"7"', '7', '"seven"', '"7", "8"', '"7" '.repeat(2)])
      expect(() => expectedVersionOf(tag)).toThrow(
        expect.objectContaining({ status: 412, code: 'WDR_VERSION_MISMATCH' }),
      );
  });
});
