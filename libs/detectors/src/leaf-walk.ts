import type { ActionWord, Finding, FindingCategory } from '@warder/contracts';
import { type Actions, type Cell, takesOut } from './actions.js';
import { CERTAIN, isCertain } from './certainty.js';
import { seamHits } from './content-seams.js';
import { definitionText, isDefinition } from './definition.js';
import type { Hit } from './detector.js';
import { textInBase64 } from './encoded-text.js';
import { jsonPointer } from './json-pointer.js';
import { placeholderFor, redact } from './redaction.js';
import type { Phase, Screening } from './screening-engine.js';
import { isTelling } from './telling-keys.js';
import type { Reading, TextScanner } from './text-reading.js';

/** How far a value is followed; what lies beyond cannot be decided and is rejected. */
export interface Bounds {
  readonly depthMax: number;
  /** Strings, numbers, keys, true, false and null together. */
  readonly leavesMax: number;
  /** Findings that are told apart by place; further ones are counted at the root. */
  readonly findingsMax: number;
}

const NO_FINDINGS: readonly Finding[] = [];
/** The smallest number that has the digits of a card. */
const CARD_VALUE_MIN = 1e12;
const BASE64_CHARS_MIN = 256;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}\s*$/;
const MEDIA = /^(?:image|audio|video)\//;

class BeyondBound extends Error {
  constructor(readonly detector: 'bound.depth' | 'bound.leaves') {
    super(detector);
  }
}

/** One screening of one value. Copies an object only when something below it changes. */
export class LeafWalk {
  private readonly keys: (string | number)[] = [];
  private findings: Map<string, Finding> | undefined;
  private leaves = 0;
  private isBlocked = false;
  private seam: { readonly text: string; readonly hits: readonly Hit[] } | undefined;
  private reading: Reading = 'answer';
  /** The key whose value is next, if it says what a number or a word by itself does not. */
  private telling: string | undefined;
  private readonly isAsked = (category: FindingCategory): boolean => this.actions.isAsked(category);

  constructor(
    private readonly scanner: TextScanner,
    private readonly bounds: Bounds,
    private readonly phase: Phase,
    private readonly actions: Actions,
  ) {}

  screen(value: unknown): Screening {
    let screened: unknown;
    if (this.phase === 'request') this.reading = 'arguments';
    else if (isDefinition(value)) this.reading = 'definition';
    try {
      screened = this.walk(value, 0);
      if (this.reading === 'definition') this.readWhole(value as object);
    } catch (error) {
      if (!(error instanceof BeyondBound)) throw error;
      this.report({ detector: error.detector, category: 'hidden' }, { action: 'block' });
      return { verdict: 'reject', value: placeholderFor(error.detector), findings: this.reported() };
    }
    const findings = this.reported();
    if (this.isBlocked) return { verdict: 'reject', value: screened, findings };
    return { verdict: screened === value ? 'pass' : 'mutate', value: screened, findings };
  }

  /** What a definition's parts say only together is reported at its root. */
  private readWhole(definition: object): void {
    const hits = this.scanner.scan(definitionText(definition), this.isAsked, 'definition');
    const whole = hits.filter(
      ({ category, certainty }) => category === 'injection' && isCertain(certainty, this.reading),
    );
    if (whole.length === 0) return;
    const told = new Set(this.reported().map(({ detector }) => detector));
    for (const detector of new Set(whole.map((hit) => hit.detector))) {
      if (told.has(detector)) continue;
      const cell = this.actions.of(detector, 'injection');
      // What stands in several strings together cannot be cut out of one of them.
      const isCutOnly = cell.action === 'redact' || cell.action === 'strip';
      this.report({ detector, category: 'injection' }, isCutOnly ? { ...cell, action: 'flag' } : cell);
      if (cell.action === 'block') this.isBlocked = true;
    }
  }

  private walk(value: unknown, depth: number): unknown {
    this.count();
    if (typeof value === 'string') return this.text(value);
    if (typeof value === 'number') return this.number(value);
    if (typeof value !== 'object' || value === null) {
      return typeof value === 'bigint' ? this.numberText(String(value), value) : value;
    }
    if (depth >= this.bounds.depthMax) throw new BeyondBound('bound.depth');
    if (Array.isArray(value)) return this.array(value, depth + 1);
    const prototype: unknown = Object.getPrototypeOf(value);
    // A number that JavaScript's own cannot hold comes as an object that knows its digits (mcp-wire's LosslessNumber).
    if (prototype !== Object.prototype && prototype !== null) {
      return this.numberText((value as { toString(): string }).toString(), value);
    }
    return this.object(value as Record<string, unknown>, depth + 1);
  }

  private count(): void {
    this.leaves += 1;
    if (this.leaves > this.bounds.leavesMax) throw new BeyondBound('bound.leaves');
  }

  private array(items: readonly unknown[], depth: number): unknown {
    const seams = items.length > 1 ? seamHits(items, this.scanner, this.isAsked) : undefined;
    let copy: unknown[] | undefined;
    for (let index = 0; index < items.length; index += 1) {
      this.keys.push(index);
      this.seam = seams?.get(index);
      const screened = this.walk(items[index], depth);
      this.keys.pop();
      if (screened !== items[index]) copy ??= [...items];
      if (copy !== undefined) copy[index] = screened;
    }
    this.seam = undefined;
    return copy ?? items;
  }

  private object(members: Record<string, unknown>, depth: number): unknown {
    let changed: Members | undefined;
    for (const name in members) {
      const value = members[name];
      this.count();
      const hits = this.scan(name);
      const shown = hits.length === 0 ? name : redact(name, hits.filter(isCut));
      this.keys.push(shown);
      const shownName = hits.length === 0 ? name : this.apply(name, hits);
      this.telling = isTelling(name) ? name : undefined;
      const screened = isBytes(members, name, value) ? this.bytes(members, name, value) : this.walk(value, depth);
      this.keys.pop();
      if (shownName !== name || screened !== value) changed ??= membersBefore(members, name);
      if (changed === undefined) continue;
      changed.names.push(shownName);
      changed.values.push(screened);
    }
    return changed === undefined ? members : assemble(changed);
  }

  private scan(text: string): readonly Hit[] {
    const hits = this.scanner.scan(text, this.isAsked, this.reading);
    return hits.every(({ certainty }) => certainty >= CERTAIN)
      ? hits
      : hits.filter(({ certainty }) => isCertain(certainty, this.reading));
  }

  /** Read as `key: value`, for a number under `tfn` is one and by itself is none. */
  private scanUnder(key: string, text: string): readonly Hit[] {
    const before = `${key}: `.length;
    return this.scan(`${key}: ${text}`)
      .filter(({ start }) => start >= before)
      .map((hit) => ({ ...hit, start: hit.start - before, end: hit.end - before }));
  }

  private text(text: string): string {
    const { telling } = this;
    this.telling = undefined;
    let hits = telling === undefined || text.length > TOLD_CHARS_MAX ? this.scan(text) : this.scanUnder(telling, text);
    if (this.seam?.text === text) {
      hits = hits.length === 0 ? this.seam.hits : [...hits, ...this.seam.hits];
      this.seam = undefined;
    }
    return hits.length === 0 ? text : this.apply(text, hits);
  }

  /**
   * Base64 is read as the text that it holds, and stays base64 when something is cut out of it. Of a picture or a sound
   * nothing is read: scanning it would only find chance. Anything else is read as it stands there.
   */
  private bytes(block: Record<string, unknown>, name: string, value: string): string {
    const encoded = textInBase64(value);
    if (encoded !== undefined) {
      this.telling = undefined;
      this.count();
      const clean = this.text(encoded.text);
      return clean === encoded.text ? value : encoded.encode(clean);
    }
    if (!isMedia(block, name, value)) return this.walk(value, 0) as string;
    this.count();
    return value;
  }

  private number(value: number): unknown {
    const isLong = Number.isInteger(value) && (value >= CARD_VALUE_MIN || value <= -CARD_VALUE_MIN);
    return isLong || this.scanner.readsNumbers === true ? this.numberText(String(value), value) : value;
  }

  private numberText(text: string, value: unknown): unknown {
    const hits = this.scanner.scanNumber(text, this.isAsked);
    if (hits.length === 0) return value;
    const screened = this.apply(text, hits);
    return screened === text ? value : screened;
  }

  /** Reports the hits and takes out those that are to be redacted, or that block and must not reach the record. */
  private apply(text: string, hits: readonly Hit[]): string {
    const masked: Hit[] = [];
    let stripped: Set<Hit> | undefined;
    for (const hit of hits) {
      if (this.actions.isAllowed(hit.detector, text.slice(hit.start, hit.end))) continue;
      const cell = this.cellOf(hit);
      this.report(hit, cell);
      if (cell.action === 'block') this.isBlocked = true;
      if (!takesOut(cell.action)) continue;
      masked.push(hit);
      if (cell.action === 'strip') (stripped ??= new Set()).add(hit);
    }
    return masked.length === 0 ? text : redact(text, masked, stripped);
  }

  /** What is only to be told is cut out, or ends a call, where a rule names it and not with all of its kind. */
  private cellOf(hit: Hit): Cell {
    const cell = this.actions.of(hit.detector, hit.category);
    if (isCut(hit)) return cell;
    const { shadow } = cell;
    const action = cell.isNamed === true ? cell.action : ifOnlyTold(cell.action);
    if (shadow === undefined || cell.isShadowNamed === true) return { ...cell, action };
    return { ...cell, action, shadow: { ...shadow, action: ifOnlyTold(shadow.action) } };
  }

  private reported(): readonly Finding[] {
    return this.findings === undefined ? NO_FINDINGS : [...this.findings.values()];
  }

  private report({ detector, category }: Pick<Hit, 'detector' | 'category'>, cell: Cell): void {
    const { rule, shadow } = cell;
    if (cell.action === 'off' && shadow === undefined) return;
    const action = cell.action === 'off' ? 'log' : cell.action;
    const findings = (this.findings ??= new Map());
    const place = findings.size < this.bounds.findingsMax ? jsonPointer(this.keys) : '';
    const key = `${detector} ${place}`;
    const count = (findings.get(key)?.count ?? 0) + 1;
    const said = { ...(rule === undefined ? {} : { rule }), ...(shadow === undefined ? {} : { shadow }) };
    findings.set(key, { detector, category, action, phase: this.phase, place, count, ...said });
  }
}

const ifOnlyTold = (action: ActionWord): ActionWord => (takesOut(action) || action === 'approve' ? 'log' : action);

const isCut = ({ isAdvisory }: Hit): boolean => isAdvisory !== true;

/** Characters of a value that its key may explain. */
const TOLD_CHARS_MAX = 512;
/** Members that MCP has hold base64: a resource's, and a picture's or a sound's. */
function isBytes(block: Record<string, unknown>, name: string, value: unknown): value is string {
  if (typeof value !== 'string') return false;
  return name === 'blob' || (name === 'data' && (block['type'] === 'image' || block['type'] === 'audio'));
}

function isMedia({ mimeType }: Record<string, unknown>, name: string, value: string): boolean {
  if (value.length < BASE64_CHARS_MIN || !BASE64.test(value)) return false;
  return name === 'data' || (typeof mimeType === 'string' && MEDIA.test(mimeType));
}

interface Members {
  readonly names: string[];
  readonly values: unknown[];
}

function membersBefore(members: Record<string, unknown>, end: string): Members {
  const names: string[] = [];
  const values: unknown[] = [];
  for (const name in members) {
    if (name === end) break;
    names.push(name);
    values.push(members[name]);
  }
  return { names, values };
}

/** Two keys that become alike by redaction both stay, and `__proto__` stays a key. */
function assemble({ names, values }: Members): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  // Where counting went on to: a thousand addresses as keys all become the same placeholder.
  const counted = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    let free = name;
    for (let attempt = counted.get(name) ?? 2; Object.hasOwn(copy, free); attempt += 1) {
      free = `${name}#${attempt}`;
      counted.set(name, attempt + 1);
    }
    Object.defineProperty(copy, free, { value: values[index], enumerable: true, configurable: true, writable: true });
  }
  return copy;
}
