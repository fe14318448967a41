import { weighTogether } from './certainty.js';
import type { Detector, HiddenDetector, Hit, LiteralForm, ShapeDetector, SignDetector, Span } from './detector.js';
import { CUES } from './evasion/cues.js';
import { decodings, mightBeDisguised } from './evasion/decodings.js';
import { hit, matchForm } from './form-match.js';
import {
  FOLD,
  GRAM_MASK,
  type GramTable,
  HASH_BITS,
  HASH_MASK,
  type Literal,
  standsAt,
  TAIL_MASK,
} from './gram-table.js';
import { holdsInvisible, visibleText } from './hidden/invisible.js';
import { isDigit as isDigitCode, isLetterOrDigit } from './pii/characters.js';
import { countDigits, DATE_REST, digitsOf, isDate } from './pii/number-at.js';
import { isSign, tablesOf } from './reading-tables.js';
import { OpenWindows } from './open-windows.js';
import type { IsAsked, Reading, TextScanner } from './text-reading.js';

const NOTHING: readonly Hit[] = [];
/** The one ASCII character that begins something invisible. */
const ESCAPE = '\u001b';
/** Characters of a text from which copying it pays, and of which at most are copied at once. */
const BYTES_FROM = 48;
const CHUNK = 16_384;
const UTF8_BYTES_MAX = 3;
/** Encodings within encodings that are followed. */
const ROUNDS_MAX = 2;
/** How far around a literal a pattern is looked for, and how far apart two such looks are at least. */
const AROUND_BEFORE = 160;
const AROUND_BEHIND = 320;
const LOOKS_APART = 60;
/** Shorter numbers are nobody's, unless a letter adjoins. */
const NUMBER_DIGITS_MIN = 7;
/** More digits than any number of a person has. */
const COUNT_MAX = 64;
/** What a disguise that has no other use adds to the weight of what it hides. */
const DISGUISE_WEIGHT = 0.5;
/** Where the text that is being swept stands; a sweep never waits, so one is enough. */
const bytes = Buffer.allocUnsafeSlow(CHUNK * UTF8_BYTES_MAX);

/**
 * One pass over the text, a table look-up for each character: the last three characters say whether one of the
 * literals may stand here, and only there the exact rule is asked. A clean kilobyte costs one to two microseconds;
 * every rule costs a bounded time for each place at which it is asked.
 */
export class GramScanner implements TextScanner {
  private readonly tables: Readonly<Record<Reading, GramTable>>;
  private table: GramTable;
  private readonly numbers: ShapeDetector[] = [];
  private readonly signs: SignDetector[] = [];
  private readonly hidden: HiddenDetector[] = [];
  private readonly hasInjections: boolean;
  readonly readsNumbers: boolean;
  private readonly windows: OpenWindows;

  private hits: Hit[] = [];
  private digitsDoneTo = 0;
  private readonly byCount: (readonly ShapeDetector[] | undefined)[] = [];
  private readonly lookedAt = new Map<LiteralForm, number>();
  private cues = 0;
  private isAsked: IsAsked = () => true;

  constructor(detectors: readonly Detector[]) {
    this.hasInjections = detectors.some(({ category }) => category === 'injection');
    for (const detector of detectors) {
      if (detector.trigger === 'hidden') this.hidden.push(detector);
      else if (detector.trigger === 'digits') this.numbers.push(detector);
      else if (isSign(detector)) this.signs.push(detector);
    }
    const all = this.hasInjections ? [...detectors, ...CUES] : detectors;
    this.tables = tablesOf(all);
    this.table = this.tables.answer;
    this.windows = new OpenWindows(detectors);
    this.readsNumbers = detectors.some(({ trigger }) => trigger === 'window');
  }

  scan(text: string, isAsked: IsAsked, reading: Reading = 'answer'): readonly Hit[] {
    if (text.length === 0) return NOTHING;
    this.isAsked = isAsked;
    this.table = this.tables[reading];
    const hits = this.look(text, 0);
    return hits.length === 0 ? NOTHING : weighTogether(hits);
  }

  scanNumber(text: string, isAsked: IsAsked): readonly Hit[] {
    if (this.readsNumbers) {
      // Of a number nothing can be cut out: it is found as a whole, or not.
      const own = this.scan(text, isAsked, 'arguments').find(({ detector }) => detector.startsWith('custom.'));
      if (own !== undefined) return [{ ...own, start: 0, end: text.length }];
    }
    if (this.numbers.length === 0 || !isAsked('pii')) return NOTHING;
    const whole = digitsOf(text);
    const detector = whole && this.numbers.find((each) => each.matchAt(whole, 0)?.end === whole.length);
    return detector ? [hit(detector, { start: 0, end: text.length })] : NOTHING;
  }

  private look(text: string, round: number): readonly Hit[] {
    this.hits = [];
    this.cues = 0;
    if (this.lookedAt.size > 0) this.lookedAt.clear();
    this.windows.clear();
    const codes = this.sweep(text);
    if ((codes > 127 || text.includes(ESCAPE)) && holdsInvisible(text)) return this.lookThrough(text, round);
    this.windows.read(text, this.isAsked, (detector, span) => this.report(detector, span));
    if (this.signs.length > 0 && this.isAsked('pii')) this.sweepSigns(text);
    return this.withDecoded(text, codes > 127, round);
  }

  /** What invisible characters cut apart is found as if they were not there, and replaced together with them. */
  private lookThrough(text: string, round: number): readonly Hit[] {
    const visible = visibleText(text);
    const placed = this.look(visible.text, round).map((each) => ({
      ...each,
      start: visible.offsets[each.start] ?? 0,
      end: (visible.offsets[each.end - 1] ?? 0) + 1,
    }));
    if (!this.isAsked('hidden') || round > 0) return placed;
    const hidden = this.hidden.flatMap((detector) => detector.matchAll(text).map((span) => hit(detector, span)));
    return [...placed, ...hidden];
  }

  private withDecoded(text: string, isBeyondAscii: boolean, round: number): readonly Hit[] {
    const { cues } = this;
    const hits = this.hits;
    this.hits = [];
    if (!this.hasInjections || round >= ROUNDS_MAX || !mightBeDisguised(text, isBeyondAscii, cues)) return hits;
    for (const decoding of decodings(text, isBeyondAscii, cues)) {
      for (const each of this.look(decoding.text, round + 1)) {
        if (each.category === 'pii') continue;
        const certainty = decoding.isDisguise ? 1 - (1 - each.certainty) * (1 - DISGUISE_WEIGHT) : each.certainty;
        hits.push({ ...each, ...decoding.place(each), certainty });
      }
    }
    return hits;
  }

  /** Reports to `hits`; returns the OR of the character codes, or 0 for ASCII. */
  private sweep(text: string): number {
    this.digitsDoneTo = 0;
    const { length } = text;
    if (length < BYTES_FROM) return this.sweepCodes(text, 0, 0);
    let gram = 0;
    for (let start = 0; start < length; start += CHUNK) {
      const part = length <= CHUNK ? text : text.slice(start, start + CHUNK);
      // As many bytes as characters: all ASCII, and a byte's place is the character's.
      if (bytes.write(part) !== part.length) return this.sweepCodes(text, start, gram);
      gram = this.sweepBytes(text, start, part.length, gram);
    }
    return 0;
  }

  /** Twice as fast as charCodeAt, which asks at each character how the string is represented. */
  private sweepBytes(text: string, start: number, length: number, before: number): number {
    const { isWoken, isConfirmed } = this.table;
    const from = bytes;
    const fold = FOLD;
    let tail = before;
    // Two at a time, with one branch for both: nearly all characters wake nobody.
    for (let at = 0; at < length; at += 2) {
      const first = ((tail << 5) | (fold[from[at] as number] as number)) & TAIL_MASK;
      tail = ((first << 5) | (fold[from[at + 1] as number] as number)) & TAIL_MASK;
      const woken = isWoken[(first & HASH_MASK) ^ (first >>> HASH_BITS)] as number;
      const alsoWoken = isWoken[(tail & HASH_MASK) ^ (tail >>> HASH_BITS)] as number;
      if ((woken | alsoWoken) === 0) continue;
      if (woken !== 0 && isConfirmed[first] !== 0) this.ask(text, start + at, first & GRAM_MASK);
      if (alsoWoken !== 0 && isConfirmed[tail] !== 0 && at + 1 < length)
        this.ask(text, start + at + 1, tail & GRAM_MASK);
    }
    return tail;
  }

  private sweepCodes(text: string, start: number, before: number): number {
    const { isWoken, isConfirmed } = this.table;
    let bits = 0;
    let tail = before;
    for (let at = start; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      bits |= code;
      if (code > 127) this.askWide(text, at, code);
      tail = ((tail << 5) | (FOLD[code & 127] as number)) & TAIL_MASK;
      if (isWoken[(tail & HASH_MASK) ^ (tail >>> HASH_BITS)] !== 0 && isConfirmed[tail] !== 0)
        this.ask(text, at, tail & GRAM_MASK);
    }
    return bits;
  }

  private ask(text: string, at: number, gram: number): void {
    const { literals, shapes, windows, trigger } = this.table.at(gram);
    for (let index = 0; index < literals.length; index += 1) {
      const literal = literals[index] as Literal;
      const start = at - literal.reach;
      const code = text.charCodeAt(start);
      if (code !== literal.first && (code | 32) !== literal.first) continue;
      if (start >= 0 && standsAt(text, start, literal.text)) this.askLiteral(text, start, literal);
    }
    for (const each of windows) if (this.isAsked(each.category)) this.windows.open(each, at);
    if (trigger === 'digits') this.askDigits(text, at, shapes);
    else if (trigger !== undefined && at >= 2 && this.isAsked('pii')) this.askShapes(text, at - 2, shapes);
  }

  private askWide(text: string, at: number, code: number): void {
    const literals = this.table.wideAt(code);
    if (literals === undefined) return;
    for (const literal of literals) if (standsAt(text, at, literal.text)) this.askLiteral(text, at, literal);
  }

  private askLiteral(text: string, start: number, { detector, form }: Literal): void {
    if (detector.cue !== undefined) {
      this.cues |= detector.cue;
      return;
    }
    if (!this.isAsked(detector.category)) return;
    const found = form.isAround === true ? this.lookAround(form, text, start) : matchForm(form, text, start);
    if (found === undefined) return;
    const span = detector.extend === undefined ? found : detector.extend(text, found);
    if (span !== undefined) this.report(detector, span);
  }

  private report(detector: Detector, span: Span): void {
    if (!this.covers(detector, span)) this.hits.push(hit(detector, span));
  }

  private lookAround(form: LiteralForm, text: string, start: number): Span | undefined {
    if (start < (this.lookedAt.get(form) ?? -LOOKS_APART) + LOOKS_APART) return undefined;
    this.lookedAt.set(form, start);
    const from = Math.max(0, start - AROUND_BEFORE);
    const match = form.pattern.exec(text.slice(from, start + AROUND_BEHIND));
    return match === null ? undefined : { start: from + match.index, end: from + match.index + match[0].length };
  }

  /** The same rule may be woken twice within what it already found. */
  private covers(detector: Detector, span: Span): boolean {
    for (let index = this.hits.length - 1; index >= 0 && index >= this.hits.length - 4; index -= 1) {
      const earlier = this.hits[index];
      if (earlier?.detector === detector.id && earlier.end >= span.end && earlier.start <= span.start) return true;
    }
    return false;
  }

  private askDigits(text: string, at: number, detectors: readonly ShapeDetector[]): void {
    if (at < this.digitsDoneTo || !this.isAsked('pii')) return;
    let end = at + 1;
    while (end < text.length && isDigit(text, end)) end += 1;
    this.digitsDoneTo = end;
    const start = at - 2;
    if (!isDigit(text, start) || !isDigit(text, start + 1) || !isDigit(text, at)) return;
    if (end - start === 4 && isDate(text, end)) {
      this.digitsDoneTo = end + DATE_REST;
      return;
    }
    const isLettered = isLetterOrDigit(text.charCodeAt(start - 1)) || isLetterOrDigit(text.charCodeAt(end));
    const count = countDigits(text, start, end);
    if (!isLettered && count < NUMBER_DIGITS_MIN) return;
    const asked = this.askedFor(count, isLettered, detectors);
    const found = this.askShapes(text, start, asked);
    if (found !== undefined) this.digitsDoneTo = Math.max(end, found.end);
  }

  /** Those of the detectors that a number of so many digits, with or without a letter beside it, may concern. */
  private askedFor(count: number, isLettered: boolean, detectors: readonly ShapeDetector[]): readonly ShapeDetector[] {
    const key = Math.min(count, COUNT_MAX) * 2 + (isLettered ? 1 : 0);
    let asked = this.byCount[key];
    if (asked === undefined) {
      asked = detectors.filter(({ digits, isLettered: asksLetter }) =>
        digits === undefined
          ? asksLetter !== true || isLettered
          : (count >= digits[0] && count <= digits[1]) || (asksLetter === true && isLettered),
      );
      this.byCount[key] = asked;
    }
    return asked;
  }

  /** The first that knows the shape has it. */
  private askShapes(text: string, start: number, detectors: readonly ShapeDetector[]): Span | undefined {
    for (const detector of detectors) {
      const span = detector.matchAt(text, start);
      if (span === undefined) continue;
      this.report(detector, span);
      return span;
    }
    return undefined;
  }

  private sweepSigns(text: string): void {
    for (const detector of this.signs) {
      const sign = detector.trigger === 'at-sign' ? '@' : '+';
      for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) {
        const span = detector.matchAt(text, at);
        if (span !== undefined) this.hits.push(hit(detector, span));
      }
    }
  }
}

const isDigit = (text: string, at: number): boolean => isDigitCode(text.charCodeAt(at));
