import type { Hit } from './detector.js';

/** What stands where something was found. */
export const placeholderFor = (detector: string): string => `[redacted:${detector}]`;

/**
 * Replaces each hit's span by its placeholder and nothing else, or by nothing where it is in `stripped`; hits that
 * overlap become one, named by the first.
 */
export function redact(text: string, hits: readonly Hit[], stripped?: ReadonlySet<Hit>): string {
  const ordered =
    hits.length === 1 ? hits : [...hits].sort((one, other) => one.start - other.start || other.end - one.end);
  let redacted = '';
  let from = 0;
  for (const hit of ordered) {
    if (hit.start >= from) {
      redacted += text.slice(from, hit.start);
      if (stripped?.has(hit) !== true) redacted += placeholderFor(hit.detector);
    }
    from = Math.max(from, hit.end);
  }
  return redacted + text.slice(from);
}
