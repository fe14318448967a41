/** Depth and number of texts that are followed; the screening before has refused what lies beyond. */
const DEPTH_MAX = 64;

/** All text of a value, joined by line ends, and where each string stands in it. */
export interface JoinedTexts {
  readonly text: string;
  readonly starts: readonly number[];
}

const BLOCK_TYPES: readonly unknown[] = ['text', 'image', 'audio', 'resource', 'resource_link'];

/** Words under these names that have another form are words. */
const MIME_TYPE = /^[a-z]{1,20}\/[\w.+-]{1,80}$/i;
const BASE64 = /^[A-Za-z0-9+/_-]{256,}={0,2}\s*$/;

/** What MCP reads and no model does: a block's type, and the base64 of a picture or a sound. */
function isOfProtocol(block: Readonly<Record<string, unknown>>, name: string): boolean {
  const { type, [name]: value } = block;
  if (!BLOCK_TYPES.includes(type)) return false;
  if (name === 'type') return true;
  if (typeof value !== 'string') return false;
  if (name === 'mimeType') return MIME_TYPE.test(value);
  return name === 'data' && (type === 'image' || type === 'audio') && BASE64.test(value);
}

function visit(value: unknown, onText: (text: string) => string, depth = 0): unknown {
  if (typeof value === 'string') return onText(value);
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return value;
  if (Array.isArray(value)) {
    const items = value.map((item) => visit(item, onText, depth + 1));
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value; // a number that knows its digits
  const block = value as Record<string, unknown>;
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(block)) {
    if (isOfProtocol(block, name)) continue;
    const member = visit(block[name], onText, depth + 1);
    if (member === block[name]) continue;
    copy ??= { ...block };
    Object.defineProperty(copy, name, { value: member, enumerable: true, configurable: true, writable: true });
  }
  return copy ?? value;
}

/** The strings of a JSON value in their order, as the one text that a model would read. */
export function joinTexts(value: unknown): JoinedTexts {
  const texts: string[] = [];
  const starts: number[] = [];
  let at = 0;
  visit(value, (text) => {
    texts.push(text);
    starts.push(at);
    at += text.length + 1;
    return text;
  });
  return { text: texts.join('\n'), starts };
}

/** What is to be cut out of the joined text, and what is to stand there. */
export interface Cut {
  readonly start: number;
  readonly end: number;
  readonly placeholder: string;
}

/** In their order, those that overlap as one: a long one over ten thousand others would be asked about in each string. */
function apart(cuts: readonly Cut[]): readonly Cut[] {
  const merged: Cut[] = [];
  for (const cut of cuts.toSorted((one, other) => one.start - other.start || other.end - one.end)) {
    const last = merged.at(-1);
    if (last === undefined || cut.start >= last.end) merged.push(cut);
    else if (cut.end > last.end) merged[merged.length - 1] = { ...last, end: cut.end };
  }
  return merged;
}

/**
 * A copy of the value without what the cuts say; the same value where nothing is cut. Cuts that overlap become one, a cut
 * over several strings is made in each.
 */
export function withCuts(value: unknown, { starts }: JoinedTexts, cuts: readonly Cut[]): unknown {
  if (cuts.length === 0) return value;
  const ordered = apart(cuts);
  let index = 0;
  let next = 0;
  return visit(value, (text) => {
    const start = starts[index]!;
    const end = start + text.length;
    index += 1;
    let clean = '';
    let from = start;
    while (next < ordered.length && ordered[next]!.end <= start) next += 1;
    for (let at = next; at < ordered.length && ordered[at]!.start < end; at += 1) {
      const cut = ordered[at]!;
      const cutEnd = Math.min(cut.end, end);
      if (cutEnd <= from) continue;
      clean += text.slice(from - start, Math.max(cut.start, from) - start) + cut.placeholder;
      from = cutEnd;
    }
    return from === start ? text : clean + text.slice(from - start);
  });
}
