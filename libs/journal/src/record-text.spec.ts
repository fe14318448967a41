import { describe, expect, it } from 'vitest';
import { fitText, OUTCOME_BYTES_MAX } from './record-text.js';

const outcome = (findings: number, placeChars: number, resultChars: number): string =>
  JSON.stringify({
    outcome: 'success',
    result: { bytes: resultChars, value: 'r'.repeat(resultChars) },
    findings: Array.from({ length: findings }, (_, at) => ({
      detector: 'pii.email',
      place: `/${at}`.padEnd(placeChars, '\u0001'),
    })),
  });

describe('a text that is too long for its frame', () => {
  it('always becomes one that fits, for an outcome that is refused would hold its room for ever', () => {
    for (const placeChars of [300, 4_000, 400_000]) {
      const text = fitText(outcome(100, placeChars, 16_000), OUTCOME_BYTES_MAX);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(OUTCOME_BYTES_MAX);
      expect(JSON.parse(text)).toMatchObject({ outcome: 'success' });
    }
  });
});
