import type { Detector, Hit, LiteralForm, Span } from './detector.js';

/** What a detector saw there, as sure as it is by itself. */
export const hit = (detector: Detector, span: Span): Hit => ({
  start: span.start,
  end: span.end,
  detector: detector.id,
  category: detector.category,
  certainty: detector.weight ?? 1,
  ...(detector.isAdvisory === true ? { isAdvisory: true } : {}),
});

/** What a form finds at a place where one of its literals stands. */
export function matchForm({ pattern, isGroupInFront }: LiteralForm, text: string, start: number): Span | undefined {
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const end = start + match[0].length;
  const group = match[1]?.length;
  if (isGroupInFront === true) return { start: start - (group ?? 0), end };
  return { start: group === undefined ? start : end - group, end };
}
