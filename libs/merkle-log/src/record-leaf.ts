import { createHash } from 'node:crypto';
import { leafHashOf } from './tree-hash.js';

const MARK = Buffer.from(',"personal":');
const END = Buffer.from('}');
const NULL = 'null';

/** The parts of a record's bytes. */
export interface RecordParts {
  /** Everything before `,"personal":`; with a closing brace behind it, the bytes of the leaf. */
  readonly core: Buffer;
  /** The personal object's bytes, `null` once they are erased, `undefined` where the record has no such member. */
  readonly personal: Buffer | null | undefined;
}

/**
 * Cuts a record where its personal member begins. The first place is the right one: no other member has the name, and
 * in a string the quotes would be escaped.
 */
export function partsOf(record: Buffer): RecordParts {
  const at = record.indexOf(MARK);
  if (at < 0) return { core: record.subarray(0, -1), personal: undefined };
  const personal = record.subarray(at + MARK.length, -1);
  return { core: record.subarray(0, at), personal: personal.toString('latin1') === NULL ? null : personal };
}

/** The leaf of a record: over its bytes without the personal ones, which it holds as a salted commitment. */
export function recordLeafOf(record: Buffer): Buffer {
  return leafHashOf(partsOf(record).core, END);
}

/** The commitment to a personal object: SHA-256 of its exact bytes, hex. */
export function commitmentTo(personal: Buffer): string {
  return createHash('sha256').update(personal).digest('hex');
}
