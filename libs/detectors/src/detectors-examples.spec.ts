import { describe, expect, it } from 'vitest';
import { DETECTORS } from './built-in-packs.js';
import type { Detector } from './detector.js';
import { GramScanner } from './text-scanner.js';

/** What a detector's own rule says of a text, whatever the others say. */
const kinds = (detector: Detector, text: string): string[] => {
  const scope = 'scope' in detector ? detector.scope : undefined;
  return new GramScanner([detector]).scan(text, () => true, scope ?? 'answer').map((hit) => hit.detector);
};

describe.each([...DETECTORS.values()])('$id: $what', (detector) => {
  it.each(detector.fires)('finds %j', (text) => {
    expect(kinds(detector, text)).toContain(detector.id);
  });

  it.each(detector.passes)('lets %j be', (text) => {
    expect(kinds(detector, text)).toEqual([]);
  });
});

it('knows more than two hundred kinds of secrets, and has an example of each detector both ways', () => {
  const detectors = [...DETECTORS.values()];
  expect(detectors.filter(({ category }) => category === 'secret').length).toBeGreaterThan(200);
  expect(detectors.filter(({ fires, passes }) => fires.length === 0 || passes.length === 0)).toEqual([]);
});
