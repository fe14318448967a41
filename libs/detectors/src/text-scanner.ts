import type { FindingCategory } from '@warder/contracts';
import type {
  AtSignDetector,
  Detector,
  DigitsDetector,
  HiddenDetector,
  Hit,
  LiteralDetector,
  Span,
} from './detector.js';
import { holdsInvisible, visibleText } from './hidden-detectors.js';

/** Finds what stands in one text; which categories are asked for is the caller's decision. */
export interface TextScanner {
  scan(text: string, isAsked: (category: FindingCategory) => boolean): readonly Hit[];
  /** The same for the text of a JSON number, however large. */
  scanNumber(text: string, isAsked: (category: FindingCategory) => boolean): readonly Hit[];
}

const NOTHING: readonly Hit[] = [];
/** The one ASCII character that begins something invisible. */
const ESCAPE = '\u001b';
const GRAM_BITS = 15;
const GRAM_MASK = (1 << GRAM_BITS) - 1;
const DIGIT_FOLD = 27;
const DIGITS_BUCKET = 255;
/** Five bits for each ASCII character: letters without case, all digits alike, the marks that literals hold. */
const FOLD = Uint8Array.from({ length: 256 }, (_, code) => {
  const lower = code | 32;
  if (lower >= 97 && lower <= 122 && code < 128) return lower - 96;
  if (code >= 48 && code <= 57) return DIGIT_FOLD;
  return code === 95 ? 28 : code === 45 ? 29 : code === 60 || code === 91 ? 30 : code === 32 ? 31 : 0;
});
/** Characters of a text from which copying it pays, and of which at most are copied at once. */
const BYTES_FROM = 48;
const CHUNK = 16_384;
const UTF8_BYTES_MAX = 3;
/** Where the text that is being swept stands; a sweep never waits, so one is enough. */
const bytes = Buffer.allocUnsafeSlow(CHUNK * UTF8_BYTES_MAX);
/** English letters from the rarest to the commonest, and then what rules and lists are drawn with: a gram of rare ones wakes nobody in vain. */
const COMMONNESS = '_<[|zqxjkvbpygfwmucldrhsnioate -';

interface Literal {
  readonly text: string;
  /** From the literal's start to the end of the gram that announces it. */
  readonly reach: number;
  readonly detector: LiteralDetector;
}

function gramAt(text: string, end: number): number {
  const fold = (index: number): number => FOLD[text.charCodeAt(index) & 127] ?? 0;
  return ((fold(end - 2) << 10) | (fold(end - 1) << 5) | fold(end)) & GRAM_MASK;
}

/** The rarest gram of a literal, by the place of its last character. */
function reachOf(literal: string): number {
  const weights = Array.from(literal, (letter) => COMMONNESS.indexOf(letter));
  let best = 2;
  let bestWeight = Number.POSITIVE_INFINITY;
  for (let end = 2; end < literal.length; end += 1) {
    const weight = (weights[end] ?? 0) + (weights[end - 1] ?? 0) + (weights[end - 2] ?? 0);
    if (weight < bestWeight) [best, bestWeight] = [end, weight];
  }
  return best;
}

function standsAt(text: string, start: number, literal: string): boolean {
  for (let index = 0; index < literal.length; index += 1) {
    const code = text.charCodeAt(start + index);
    const lower = code >= 65 && code <= 90 ? code | 32 : code;
    if (lower !== literal.charCodeAt(index)) return false;
  }
  return true;
}

/**
 * One pass over the text, a table look-up for each character: the last three characters say whether one of the
 * literals may stand here, and only there the exact rule is asked. A clean kilobyte costs one to two microseconds;
 * every rule costs a bounded time for each place at which it is asked.
 */
export class GramScanner implements TextScanner {
  private readonly buckets: Literal[][] = [[]];
  private readonly bucketOf = new Uint8Array(1 << GRAM_BITS);
  private readonly digits: DigitsDetector[] = [];
  private readonly atSigns: AtSignDetector[] = [];
  private readonly hidden: HiddenDetector[] = [];

  private hits: Hit[] = [];
  private digitsDoneTo = 0;

  constructor(detectors: readonly Detector[]) {
    for (const detector of detectors) {
      if (detector.trigger === 'literal') for (const literal of detector.literals) this.announce(literal, detector);
      else if (detector.trigger === 'digits') this.digits.push(detector);
      else if (detector.trigger === 'at-sign') this.atSigns.push(detector);
      else this.hidden.push(detector);
    }
    if (this.digits.length > 0) {
      const gram = (DIGIT_FOLD << 10) | (DIGIT_FOLD << 5) | DIGIT_FOLD;
      this.bucketOf[gram] = DIGITS_BUCKET;
    }
  }

  scan(text: string, isAsked: (category: FindingCategory) => boolean): readonly Hit[] {
    if (text.length === 0) return NOTHING;
    const codes = this.sweep(text, isAsked);
    if ((codes > 127 || text.includes(ESCAPE)) && holdsInvisible(text)) return this.scanVisible(text, isAsked);
    if (this.atSigns.length > 0 && isAsked('pii')) this.sweepAtSigns(text);
    return this.takeHits();
  }

  scanNumber(text: string, isAsked: (category: FindingCategory) => boolean): readonly Hit[] {
    const whole = /^-?(\d+)(?:\.0+)?$/.exec(text)?.[1] ?? (/[eE.]/.test(text) ? wholeNumber(text) : undefined);
    if (whole === undefined || this.digits.length === 0 || !isAsked('pii')) return NOTHING;
    const detector = this.digits.find((each) => each.matchAt(whole, 0)?.end === whole.length);
    return detector === undefined ? NOTHING : [hit(detector, { start: 0, end: text.length })];
  }

  private announce(literal: string, detector: LiteralDetector): void {
    const reach = reachOf(literal);
    const gram = gramAt(literal, reach);
    let bucket = this.bucketOf[gram] ?? 0;
    if (bucket === 0) bucket = this.buckets.push([]) - 1;
    if (bucket >= DIGITS_BUCKET) throw new RangeError('more literals than the gram table has buckets');
    this.bucketOf[gram] = bucket;
    this.buckets[bucket]?.push({ text: literal, reach, detector });
  }

  /** Reports to `hits`; returns the OR of the character codes, or 0 for ASCII. */
  private sweep(text: string, isAsked: (category: FindingCategory) => boolean): number {
    this.digitsDoneTo = 0;
    const { length } = text;
    if (length < BYTES_FROM) return this.sweepCodes(text, 0, 0, isAsked);
    let gram = 0;
    for (let start = 0; start < length; start += CHUNK) {
      const part = length <= CHUNK ? text : text.slice(start, start + CHUNK);
      // As many bytes as characters: all ASCII, and a byte's place is the character's.
      if (bytes.write(part) !== part.length) return this.sweepCodes(text, start, gram, isAsked);
      gram = this.sweepBytes(text, start, part.length, gram, isAsked);
    }
    return 0;
  }

  /** Twice as fast as charCodeAt, which asks at each character how the string is represented. */
  private sweepBytes(
    text: string,
    start: number,
    length: number,
    before: number,
    isAsked: (category: FindingCategory) => boolean,
  ): number {
    const { bucketOf } = this;
    const from = bytes;
    const fold = FOLD;
    let gram = before;
    // Two at a time, with one branch for both: nearly all characters wake nobody.
    for (let at = 0; at < length; at += 2) {
      const first = ((gram << 5) | (fold[from[at] as number] as number)) & GRAM_MASK;
      gram = ((first << 5) | (fold[from[at + 1] as number] as number)) & GRAM_MASK;
      const woken = bucketOf[first] as number;
      const alsoWoken = bucketOf[gram] as number;
      if ((woken | alsoWoken) === 0) continue;
      if (woken !== 0) this.ask(text, start + at, woken, isAsked);
      if (alsoWoken !== 0 && at + 1 < length) this.ask(text, start + at + 1, alsoWoken, isAsked);
    }
    return gram;
  }

  private sweepCodes(
    text: string,
    start: number,
    before: number,
    isAsked: (category: FindingCategory) => boolean,
  ): number {
    const bucketOf = this.bucketOf;
    let bits = 0;
    let gram = before;
    for (let at = start; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      bits |= code;
      gram = ((gram << 5) | (FOLD[code & 127] as number)) & GRAM_MASK;
      const bucket = bucketOf[gram] as number;
      if (bucket !== 0) this.ask(text, at, bucket, isAsked);
    }
    return bits;
  }

  private ask(text: string, at: number, bucket: number, isAsked: (category: FindingCategory) => boolean): void {
    if (bucket === DIGITS_BUCKET) {
      if (at >= this.digitsDoneTo && isAsked('pii')) this.askDigits(text, at);
      return;
    }
    for (const { text: literal, reach, detector } of this.buckets[bucket] ?? []) {
      const start = at - reach;
      if (start < 0 || !standsAt(text, start, literal) || !isAsked(detector.category)) continue;
      const span = matchLiteral(detector, text, start);
      if (span !== undefined && !this.covers(detector, span)) this.hits.push(hit(detector, span));
    }
  }

  /** The same rule may be woken twice within what it already found. */
  private covers(detector: Detector, span: Span): boolean {
    for (let index = this.hits.length - 1; index >= 0 && index >= this.hits.length - 4; index -= 1) {
      const earlier = this.hits[index];
      if (earlier?.detector === detector.id && earlier.end >= span.end && earlier.start <= span.start) return true;
    }
    return false;
  }

  private askDigits(text: string, at: number): void {
    let end = at + 1;
    while (end < text.length && isDigit(text, end)) end += 1;
    this.digitsDoneTo = end;
    const start = at - 2;
    if (!isDigit(text, start) || !isDigit(text, start + 1) || !isDigit(text, at)) return;
    for (const detector of this.digits) {
      const span = detector.matchAt(text, start);
      if (span === undefined) continue;
      this.hits.push(hit(detector, span));
      this.digitsDoneTo = Math.max(end, span.end);
    }
  }

  private sweepAtSigns(text: string): void {
    for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
      for (const detector of this.atSigns) {
        const span = detector.matchAt(text, at);
        if (span !== undefined) this.hits.push(hit(detector, span));
      }
    }
  }

  /** What invisible characters cut apart is found as if they were not there, and replaced together with them. */
  private scanVisible(text: string, isAsked: (category: FindingCategory) => boolean): readonly Hit[] {
    this.hits = [];
    const visible = visibleText(text);
    this.sweep(visible.text, isAsked);
    if (this.atSigns.length > 0 && isAsked('pii')) this.sweepAtSigns(visible.text);
    const placed = this.takeHits().map((each) => ({
      ...each,
      start: visible.offsets[each.start] ?? 0,
      end: (visible.offsets[each.end - 1] ?? 0) + 1,
    }));
    if (!isAsked('hidden')) return placed;
    const hidden = this.hidden.flatMap((detector) => detector.matchAll(text).map((span) => hit(detector, span)));
    return [...placed, ...hidden];
  }

  private takeHits(): readonly Hit[] {
    if (this.hits.length === 0) return NOTHING;
    const hits = this.hits;
    this.hits = [];
    return hits;
  }
}

const isDigit = (text: string, at: number): boolean => {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
};

const hit = (detector: Detector, span: Span): Hit => ({
  start: span.start,
  end: span.end,
  detector: detector.id,
  category: detector.category,
});

function matchLiteral(detector: LiteralDetector, text: string, start: number): Span | undefined {
  detector.pattern.lastIndex = start;
  const match = detector.pattern.exec(text);
  if (match === null) return undefined;
  const end = start + match[0].length;
  const span = { start: match[1] === undefined ? start : end - match[1].length, end };
  return detector.extend === undefined ? span : detector.extend(text, span);
}

/** `4.111111111111111e15` and the like, as digits; a fraction or a number past 19 digits is no card. */
function wholeNumber(text: string): string | undefined {
  const value = Math.abs(Number(text));
  return Number.isSafeInteger(value) ? String(value) : undefined;
}
