import { changesInParse, type KeyListener, numberEnd, scanJson, stringEnd } from './json-scan.js';

/** Levels of nesting that a body may have; deeper ones are hostile and would overflow the stack of whatever walks them. */
export const JSON_DEPTH_MAX = 64;

/** Set while a value is being serialised when a lossless number was met. */
let losslessMet = false;

/**
 * A number that a double cannot hold as it was written (19-digit ids, 1e400, -0, 1.0).
 * It is a leaf: nothing that walks a value may copy or open it.
 */
export class LosslessNumber {
  constructor(readonly text: string) {}

  /** For a plain JSON.stringify somewhere else: the nearest double. `stringifyJson` notices and writes it exactly. */
  toJSON(): number {
    losslessMet = true;
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }

  valueOf(): number {
    return Number(this.text);
  }
}

/** A text that is no JSON (`syntax`), or nested deeper than allowed (`depth`). */
export class JsonError extends Error {
  override readonly name = 'JsonError';
  constructor(
    readonly kind: 'syntax' | 'depth',
    message: string,
  ) {
    super(message);
  }
}

/**
 * Parses JSON such that `stringifyJson` writes every number back to the digit.
 * Texts without numbers at risk go through JSON.parse; the others get LosslessNumber leaves where needed.
 * @param depthMax - levels of arrays and objects that are allowed
 * @throws JsonError, never a RangeError whatever the depth
 */
export function parseJson(text: string, depthMax: number = JSON_DEPTH_MAX, onKey?: KeyListener): unknown {
  const verdict = scanJson(text, depthMax, onKey);
  if (verdict === 'deep') throw new JsonError('depth', `JSON is nested deeper than ${depthMax} levels`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new JsonError('syntax', 'not valid JSON');
  }
  // JSON.parse has proved the syntax, so the exact reader may trust the text.
  return verdict === 'plain' ? value : new ExactReader(text).value();
}

/**
 * Writes JSON; lossless numbers stand as they were read.
 * @throws JsonError (depth) for a value nested too deeply or containing itself
 */
export function stringifyJson(value: unknown): string {
  losslessMet = false;
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    throw new JsonError('depth', 'the value cannot be written as JSON');
  }
  if (losslessMet) return writeExact(value, 0);
  return text ?? 'null';
}

/** Reads a text that JSON.parse has accepted. Recursion is bounded by the scan before it. */
class ExactReader {
  private at = 0;
  constructor(private readonly text: string) {}

  value(): unknown {
    this.skipSpace();
    const code = this.text.charCodeAt(this.at);
    if (code === 123) return this.object();
    if (code === 91) return this.array();
    if (code === 34) return this.string();
    if (code === 116) return this.literal(4, true);
    if (code === 102) return this.literal(5, false);
    if (code === 110) return this.literal(4, null);
    return this.number();
  }

  private skipSpace(): void {
    while (this.text.charCodeAt(this.at) <= 32) this.at += 1;
  }

  private literal<T>(length: number, value: T): T {
    this.at += length;
    return value;
  }

  private string(): string {
    const end = stringEnd(this.text, this.at);
    const value = JSON.parse(this.text.slice(this.at, end)) as string;
    this.at = end;
    return value;
  }

  private number(): number | LosslessNumber {
    const start = this.at;
    this.at = numberEnd(this.text, start);
    const token = this.text.slice(start, this.at);
    return changesInParse(this.text, start, this.at) ? new LosslessNumber(token) : Number(token);
  }

  private array(): unknown[] {
    const values: unknown[] = [];
    this.at += 1;
    this.skipSpace();
    while (this.text.charCodeAt(this.at) !== 93) {
      values.push(this.value());
      this.skipSeparator();
    }
    this.at += 1;
    return values;
  }

  private object(): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    this.at += 1;
    this.skipSpace();
    while (this.text.charCodeAt(this.at) !== 125) {
      const key = this.string();
      this.skipSpace();
      this.at += 1;
      const value = this.value();
      // As JSON.parse does: "__proto__" becomes a member and never the prototype.
      if (key === '__proto__') {
        Object.defineProperty(members, key, { value, enumerable: true, writable: true, configurable: true });
      } else members[key] = value;
      this.skipSeparator();
    }
    this.at += 1;
    return members;
  }

  private skipSeparator(): void {
    this.skipSpace();
    if (this.text.charCodeAt(this.at) === 44) this.at += 1;
    this.skipSpace();
  }
}

function writeExact(value: unknown, depth: number): string {
  if (value instanceof LosslessNumber) return value.text;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (depth > 1_000) throw new JsonError('depth', 'the value cannot be written as JSON');
  if (Array.isArray(value)) return `[${value.map((item) => writeExact(item, depth + 1)).join(',')}]`;
  const members: string[] = [];
  for (const [key, member] of Object.entries(value)) {
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${writeExact(member, depth + 1)}`);
  }
  return `{${members.join(',')}}`;
}
