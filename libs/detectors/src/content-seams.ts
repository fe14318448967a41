import type { FindingCategory } from '@warder/contracts';
import type { Hit, Span } from './detector.js';
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
  const texts: BlockText[] = [];
  for (let index = 0; index < blocks.length; index += 1) {
    const text = textOf(blocks[index]);
    if (text !== undefined && text !== '') texts.push({ index, text });
  }
  if (texts.length < 2) return undefined;
  const found = new Map<number, { text: string; hits: Hit[] }>();
  for (const { placed, joined, asked } of joinsOf(texts, isAsked)) {
    const alone = new Map<Placed, readonly Hit[]>();
    for (const hit of scanner.scan(joined, asked)) {
      const touched = touchedBy(hit, placed);
      const cut = touched.filter(({ start, end }) => hit.start < start || hit.end > end);
      if (cut.length === 0 || standsAlone(hit, touched, scanner, alone)) continue;
      for (const { index, text, origin, start, end } of cut) {
        const part = { ...hit, start: Math.max(hit.start, start) - origin, end: Math.min(hit.end, end) - origin };
        const entry = found.get(index) ?? { text, hits: [] };
        if (!isKnown(part, entry.hits)) entry.hits.push(part);
        found.set(index, entry);
      }
    }
  }
  return found.size === 0 ? undefined : found;
}

/** Blocks read as one text, and what is looked for in it. */
interface Join {
  readonly placed: readonly Placed[];
  readonly joined: string;
  readonly asked: (category: FindingCategory) => boolean;
}

/** Characters on each side of a seam that are looked at by themselves: more than any token of one piece has. */
const SEAM_CHARS = 512;

function* joinsOf(texts: readonly BlockText[], isAsked: Join['asked']): Generator<Join> {
  const whole = texts.map((each) => ({ ...each, from: 0, to: each.text.length }));
  yield join(whole, '', isAsked);
  yield join(whole, '\n', (category) => category === 'injection' && isAsked(category));
  // A rule that asks for the end of a word would miss a secret whose halves the words of further blocks adjoin.
  for (let at = 1; at < whole.length && whole.length > 2; at += 1) {
    const [before, after] = [whole[at - 1]!, whole[at]!];
    const left = { ...before, from: Math.max(0, before.to - SEAM_CHARS) };
    yield join([left, { ...after, to: Math.min(after.to, SEAM_CHARS) }], '', isAsked);
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

/** Part of a block's text and where it stands in the joined one. */
interface Placed extends BlockText, Span {
  /** Where in the joined text the block's text begins, or would. */
  readonly origin: number;
}

function join(parts: readonly (BlockText & Part)[], separator: string, asked: Join['asked']): Join {
  let next = 0;
  const placed = parts.map(({ index, text, from, to }) => {
    const start = next;
    const end = start + to - from;
    next = end + separator.length;
    return { index, text, origin: start - from, start, end };
  });
  return { placed, joined: parts.map(({ text, from, to }) => text.slice(from, to)).join(separator), asked };
}

/** From where to where of a text. */
interface Part {
  readonly from: number;
  readonly to: number;
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
    return hits.some((own) => each.origin + own.start < hit.end && each.origin + own.end > hit.start);
  });
}
