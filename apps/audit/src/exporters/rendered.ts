import type { ExportRecord } from './destination.js';

/** A record as it stands in a receiver's body. */
export interface Rendered {
  readonly record: ExportRecord;
  readonly text: string;
  /** Bytes of `text` in UTF-8. */
  readonly bytes: number;
}

/** Consecutive parts whose texts have `bytesMax` bytes or fewer together; a longer text is a part of its own. */
export function partsOf(rendered: readonly Rendered[], bytesMax: number): Rendered[][] {
  const parts: Rendered[][] = [];
  let room = 0;
  for (const one of rendered) {
    if (one.bytes > room || parts.length === 0) {
      parts.push([]);
      room = bytesMax;
    }
    parts.at(-1)?.push(one);
    room -= one.bytes;
  }
  return parts;
}

/** The two halves of a part of two or more. */
export function halvesOf(part: readonly Rendered[]): Rendered[][] {
  const middle = Math.ceil(part.length / 2);
  return [part.slice(0, middle), part.slice(middle)];
}
