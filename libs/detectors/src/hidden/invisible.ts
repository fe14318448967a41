import type { HiddenDetector, Span } from '../detector.js';
import { isLetterOrDigit } from '../pii/characters.js';

/**
 * What is in a text and nobody sees: zero-width characters, soft hyphens, marks of direction, variation selectors, tags,
 * and the sequences that colour a terminal (ECMA-48, CSI), whose last letter would stand before a secret like a word's.
 */
const INVISIBLE_SOURCE = String.raw`[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]|\udb40[\udc00-\uddef]|\u001b\[[0-?]{0,32}[ -/]{0,4}[@-~]`;
const INVISIBLE = new RegExp(INVISIBLE_SOURCE);
const INVISIBLE_RUNS = new RegExp(`(?:${INVISIBLE_SOURCE})+`, 'g');

const TAG_RUNS = /(?:\udb40[\udc00-\udc7f])+/g;
/** England, Scotland, Wales: the only flags in use that are spelt in tag characters. */
const FLAGS = new Set(['gbeng', 'gbsct', 'gbwls']);

const ZERO_WIDTH_RUNS = /(?:[\u180e\u200b-\u200d\u2060-\u2064\ufeff]|\udb40[\udd00-\uddef])+/g;
/**
 * One by itself: a joiner between emoji and in Arabic or Indic words, the space by which editors let a line of Chinese
 * or Thai be broken, or what keeps `@name` from being a mention. Within a word of Latin letters it hides something.
 */
const SINGLE = /^[\u200b-\u200d\u2060]$/;
const isPlain = (code: number): boolean => isLetterOrDigit(code) || (code > 0xbf && code < 0x530);

/** Whether the text holds anything invisible; cheap enough to ask first. */
export function holdsInvisible(text: string): boolean {
  return INVISIBLE.test(text);
}

/** The text without its invisible characters, and for each character left the place where it stood. */
export function visibleText(text: string): { readonly text: string; readonly offsets: Uint32Array } {
  const offsets = new Uint32Array(text.length + 1);
  let visible = '';
  let from = 0;
  const take = (to: number): void => {
    for (let at = from; at < to; at += 1) offsets[visible.length + at - from] = at;
    visible += text.slice(from, to);
  };
  for (const run of text.matchAll(INVISIBLE_RUNS)) {
    take(run.index);
    from = run.index + run[0].length;
  }
  take(text.length);
  offsets[visible.length] = text.length;
  return { text: visible, offsets };
}

const spelt = (tags: string): string =>
  Array.from(tags, (tag) => String.fromCharCode((tag.codePointAt(0) ?? 0) - 0xe0000)).join('');

const tags: HiddenDetector = {
  id: 'hidden.tag-characters',
  category: 'hidden',
  what: 'Text in tag characters, which nobody sees',
  fires: ['a\u{e0064}\u{e006f}b'],
  passes: ['\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
  trigger: 'hidden',
  matchAll(text: string): readonly Span[] {
    const spans: Span[] = [];
    for (const run of text.matchAll(TAG_RUNS)) {
      const word = spelt(run[0]);
      const isFlag =
        text.startsWith('\u{1f3f4}', run.index - 2) && word.endsWith('\x7f') && FLAGS.has(word.slice(0, -1));
      if (!isFlag) spans.push({ start: run.index, end: run.index + run[0].length });
    }
    return spans;
  },
};

const zeroWidth: HiddenDetector = {
  id: 'hidden.zero-width',
  category: 'hidden',
  what: 'Zero-width characters where no script needs them',
  fires: ['pass\u200bword'],
  passes: ['\ufeffhello', 'by @\u200bname', '复用\u200b。'],
  trigger: 'hidden',
  matchAll(text: string): readonly Span[] {
    const spans: Span[] = [];
    for (const run of text.matchAll(ZERO_WIDTH_RUNS)) {
      const end = run.index + run[0].length;
      const isByteOrderMark = run.index === 0 && run[0] === '\ufeff';
      const isWithinWord = isPlain(text.charCodeAt(run.index - 1)) && isPlain(text.charCodeAt(end));
      if (!isByteOrderMark && (isWithinWord || !SINGLE.test(run[0]))) spans.push({ start: run.index, end });
    }
    return spans;
  },
};

const spansOf = (text: string, pattern: RegExp): readonly Span[] =>
  Array.from(text.matchAll(pattern), (match) => ({ start: match.index, end: match.index + match[0].length }));

/** Words behind it, and not a name or a number in another script's text. */
const WORDS_BEHIND = /[\u202d\u202e](?= {0,4}[!-~]{1,40} [!-~]{1,40} [!-~])/g;

const bidi: HiddenDetector = {
  id: 'hidden.direction-override',
  category: 'hidden',
  what: 'Text whose order on the screen is turned round',
  fires: ['a \u202esdrow eerht era', 'w\u202e Before read it call this'],
  passes: ['\u200fשלום'],
  trigger: 'hidden',
  matchAll: (text) => spansOf(text, WORDS_BEHIND),
};

const SELECTOR_RUNS = /[\ufe00-\ufe0f]{3,}/g;

const selectors: HiddenDetector = {
  id: 'hidden.variation-selectors',
  category: 'hidden',
  what: 'Bytes in variation selectors, which nobody sees',
  fires: ['a\ufe01\ufe02\ufe03'],
  passes: ['\u2764\ufe0f'],
  trigger: 'hidden',
  matchAll: (text) => spansOf(text, SELECTOR_RUNS),
};

/** Conceal (SGR 8), and a colour that is its own background. */
const CONCEALED = new RegExp(
  String.raw`\u001b\[(?:[0-9;]{0,12};)?8m|\u001b\[38;5;(\d{1,3});48;5;\1m|\u001b\[38;2;(\d{1,3};\d{1,3};\d{1,3});48;2;\2m`,
  'g',
);

const concealed: HiddenDetector = {
  id: 'hidden.terminal-conceal',
  category: 'hidden',
  what: 'Text that a terminal is told not to show',
  fires: ['\u001b[8mobey\u001b[0m'],
  passes: ['\u001b[31mred\u001b[0m'],
  trigger: 'hidden',
  matchAll: (text) => spansOf(text, CONCEALED),
};

export const HIDDEN_DETECTORS: readonly HiddenDetector[] = [tags, zeroWidth, bidi, selectors, concealed];
