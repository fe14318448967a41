import type { FindingCategory } from '@warder/contracts';
import { CERTAIN } from './certainty.js';
import type { Hit, Span } from './detector.js';
import type { TextScanner } from './text-reading.js';

/** What crosses from one block's text into the next, cut at the seams: hits in a block's text, by its index. */
export type SeamHits = ReadonlyMap<number, { readonly text: string; readonly hits: readonly Hit[] }>;

/** The text that a host shows for a content block: a text block's, an embedded resource's, or that of a message in a prompt. */
function textOf(block: unknown): string | undefined {
  if (typeof block !== 'object' || block === null) return undefined;
  const { text, resource, content } = block as { text?: unknown; resource?: unknown; content?: unknown };
  if (typeof text === 'string') return text;
  const { text: embedded } = (typeof resource === 'object' && resource !== null ? resource : {}) as { text?: unknown };
  if (typeof embedded === 'string') return embedded;
  return Array.isArray(content) ? undefined : textOf(content);
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
  const texts: BlockText[] = [];
  for (let index = 0; index < blocks.length; index += 1) {
    const text = textOf(blocks[index]);
    if (text !== undefined && text !== '') texts.push({ index, text });
  }
  if (texts.length < 2) return undefined;
  const found: Found = new Map();
  const look = (parts: readonly BlockText[], separator: string, asked: typeof isAsked): void => {
    const joined = parts.map(({ text }) => text).join(separator);
    const hits = scanner.scan(joined, asked).filter(({ certainty }) => certainty >= CERTAIN);
    if (hits.length > 0) addCut(found, hits, place(parts, separator.length), scanner);
  };
  look(texts, '', isAsked);
  look(texts, '\n', (category) => category === 'injection' && isAsked(category));
  // A rule that asks for the bounds of a word misses in the whole what other blocks adjoin: its two blocks by themselves.
  for (let at = 1; at < texts.length; at += 1)
    if (isAdjoined(texts, at)) look(texts.slice(at - 1, at + 1), '', isAsked);
  return found.size === 0 ? undefined : found;
}

type Found = Map<number, { readonly text: string; readonly hits: Hit[] }>;

/** Characters of two halves: less than the shortest secret or more than the longest that is one word need no look. */
const WORD_CHARS_MIN = 13;
const WORD_CHARS_MAX = 512;
const BLANK = /\s/;

/** Whether a word that is a whole block together with its neighbour goes on, in the joined text, in a third one. */
function isAdjoined(texts: readonly BlockText[], at: number): boolean {
  const [before, left, right, after] = [texts[at - 2], texts[at - 1]!, texts[at]!, texts[at + 1]];
  if (left.text.length + right.text.length < WORD_CHARS_MIN) return false;
  const goesBack = before !== undefined && left.text.length < WORD_CHARS_MAX && !BLANK.test(before.text.at(-1)!);
  return goesBack || (after !== undefined && right.text.length < WORD_CHARS_MAX && !BLANK.test(after.text[0]!));
}

function addCut(found: Found, hits: readonly Hit[], placed: readonly Placed[], scanner: TextScanner): void {
  const alone = new Map<Placed, readonly Hit[]>();
  for (const hit of hits) {
    const touched = touchedBy(hit, placed);
    const cut = touched.filter(({ start, end }) => hit.start < start || hit.end > end);
    if (cut.length === 0 || standsAlone(hit, touched, scanner, alone)) continue;
    for (const { index, text, start, end } of cut) {
      const part = { ...hit, start: Math.max(hit.start, start) - start, end: Math.min(hit.end, end) - start };
      const entry = found.get(index) ?? { text, hits: [] };
      if (!isKnown(part, entry.hits)) entry.hits.push(part);
      found.set(index, entry);
    }
  }
}

/** The same place of the same rule is found in the whole and again at its seam. */
function isKnown(part: Hit, hits: readonly Hit[]): boolean {
  return hits.some(({ detector, start, end }) => detector === part.detector && start <= part.start && end >= part.end);
}

interface BlockText {
  readonly index: number;
  readonly text: string;
}

/** A block's text and where it stands in the joined one. */
interface Placed extends BlockText, Span {}

function place(texts: readonly BlockText[], separatorLength: number): Placed[] {
  let next = 0;
  return texts.map(({ index, text }) => {
    const start = next;
    const end = start + text.length;
    next = end + separatorLength;
    return { index, text, start, end };
  });
}

/** The texts that a hit stands in, in their order; found by halving, for hits and texts may both be many. */
function touchedBy(hit: Hit, placed: readonly Placed[]): readonly Placed[] {
  let from = 0;
  for (let to = placed.length; from < to;) {
    const middle = (from + to) >> 1;
    if (placed[middle]!.end <= hit.start) from = middle + 1;
    else to = middle;
  }
  let end = from;
  while (end < placed.length && placed[end]!.start < hit.end) end += 1;
  return placed.slice(from, end);
}

/**
 * An address at the end of one block does not grow by the first word of the next. A secret does: better a word too
 * many than half a key.
 */
function standsAlone(
  hit: Hit,
  touched: readonly Placed[],
  scanner: TextScanner,
  alone: Map<Placed, readonly Hit[]>,
): boolean {
  if (hit.category !== 'pii') return false;
  return touched.some((each) => {
    const hits = alone.get(each) ?? scanner.scan(each.text, (category) => category === 'pii');
    alone.set(each, hits);
    return hits.some((own) => each.start + own.start < hit.end && each.start + own.end > hit.start);
  });
}
