import type { FindingCategory } from '@warder/contracts';
import type { Hit } from './detector.js';
import type { TextScanner } from './text-scanner.js';

/** What crosses from one block's text into the next, cut at the seams: hits in a block's text, by its index. */
export type SeamHits = ReadonlyMap<number, { readonly text: string; readonly hits: readonly Hit[] }>;

/** The text that a host shows for a content block: a text block's, or an embedded resource's. */
function textOf(block: unknown): string | undefined {
  if (typeof block !== 'object' || block === null) return undefined;
  const { text, resource } = block as { text?: unknown; resource?: unknown };
  if (typeof text === 'string') return text;
  if (typeof resource !== 'object' || resource === null) return undefined;
  const { text: embedded } = resource as { text?: unknown };
  return typeof embedded === 'string' ? embedded : undefined;
}

/**
 * Reads the texts of neighbouring content blocks as the one text that a model sees, and returns what no block holds
 * alone: a secret whose halves stand in two of them. Words are also joined by a line end, for phrases.
 */
export function seamHits(
  blocks: readonly unknown[],
  scanner: TextScanner,
  isAsked: (category: FindingCategory) => boolean,
): SeamHits | undefined {
  const texts: { index: number; text: string }[] = [];
  for (let index = 0; index < blocks.length; index += 1) {
    const text = textOf(blocks[index]);
    if (text !== undefined && text !== '') texts.push({ index, text });
  }
  if (texts.length < 2) return undefined;
  const found = new Map<number, { text: string; hits: Hit[] }>();
  for (const [separator, asked] of [
    ['', isAsked],
    ['\n', (category: FindingCategory) => category === 'injection' && isAsked(category)],
  ] as const) {
    const joined = texts.map(({ text }) => text).join(separator);
    const hits = scanner.scan(joined, asked);
    let start = 0;
    for (const [place, { index, text }] of hits.length === 0 ? [] : texts.entries()) {
      const end = start + text.length;
      for (const hit of hits) {
        const isWithin = hit.start >= start && hit.end <= end;
        if (isWithin || hit.end <= start || hit.start >= end || standsAlone(hit, texts, separator, scanner)) continue;
        const part = { ...hit, start: Math.max(hit.start, start) - start, end: Math.min(hit.end, end) - start };
        const entry = found.get(index) ?? { text, hits: [] };
        entry.hits.push(part);
        found.set(index, entry);
      }
      start = end + (place < texts.length - 1 ? separator.length : 0);
    }
  }
  return found.size === 0 ? undefined : found;
}

/**
 * An address at the end of one block does not grow by the first word of the next. A secret does: better a word too
 * many than half a key.
 */
function standsAlone(hit: Hit, texts: readonly { text: string }[], separator: string, scanner: TextScanner): boolean {
  if (hit.category !== 'pii') return false;
  let start = 0;
  for (const { text } of texts) {
    const end = start + text.length;
    if (hit.start < end && hit.end > start) {
      const alone = scanner.scan(text, (category) => category === 'pii');
      if (alone.some((each) => start + each.start < hit.end && start + each.end > hit.start)) return true;
    }
    start = end + separator.length;
  }
  return false;
}
