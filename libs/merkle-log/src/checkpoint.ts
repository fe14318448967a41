import { createHash, type KeyObject } from 'node:crypto';
import type { AuditCheckpoint } from '@warder/contracts';
import { CompactRange } from './compact-range.js';
import { isSignedBy, readNote, signNote } from './signed-note.js';
import { HASH_BYTES } from './tree-hash.js';

/** Bytes of each leaf hash that a checkpoint names: enough to say which record differs; the root proves it. */
export const LEAF_PREFIX_BYTES = 8;

/** What a log is at a moment. */
export interface LogState {
  readonly origin: string;
  readonly range: CompactRange;
  /** Index of the first leaf that `leaves` names. */
  readonly leavesFrom: number;
  /** The first 8 bytes of each leaf hash from there to the end. */
  readonly leaves: Buffer;
  /** Wall milliseconds. */
  readonly atMs: number;
}

/** A checkpoint whose parts agree with each other. Whether it is signed by whom it should be is asked of it. */
export interface ReadCheckpoint extends LogState {
  readonly size: number;
  readonly root: Buffer;
  isSignedBy(key: KeyObject): boolean;
}

/**
 * The signed checkpoint of a log. The same state and key give the same bytes.
 * @param privateKey - Ed25519; its name in the note is the log's
 */
export function makeCheckpoint(state: LogState, privateKey: KeyObject): AuditCheckpoint {
  const { origin, range, leavesFrom, leaves, atMs } = state;
  if (leaves.length !== (range.size - leavesFrom) * LEAF_PREFIX_BYTES) {
    throw new RangeError(`a checkpoint names every leaf from ${leavesFrom} to ${range.size}`);
  }
  return {
    origin,
    size: range.size,
    root: range.root().toString('base64'),
    frontier: range.hashes.map((hash) => hash.toString('base64')),
    leavesFrom,
    leaves: leaves.toString('base64'),
    atMs,
    note: signNote(textOf(state), origin, privateKey),
  };
}

/**
 * Reads a checkpoint and compares its parts: what stands beside the note is what the note's lines say.
 * @returns the reason where they disagree
 */
export function readCheckpoint(checkpoint: AuditCheckpoint): ReadCheckpoint | { readonly fault: string } {
  const { origin, size, leavesFrom, atMs } = checkpoint;
  const note = readNote(checkpoint.note);
  if (note === undefined) return { fault: 'its note is no signed note' };
  const leaves = Buffer.from(checkpoint.leaves, 'base64');
  if (leaves.length !== (size - leavesFrom) * LEAF_PREFIX_BYTES)
    return { fault: 'it does not name each of its leaves' };
  const hashes = checkpoint.frontier.map((hash) => Buffer.from(hash, 'base64'));
  let range: CompactRange;
  try {
    range = new CompactRange(size, hashes);
  } catch {
    return { fault: 'its frontier is not of a tree of its size' };
  }
  const root = range.root();
  if (root.toString('base64') !== checkpoint.root) return { fault: 'its frontier has another root' };
  const state: LogState = { origin, range, leavesFrom, leaves, atMs };
  if (textOf(state) !== note.text) return { fault: 'its note says something else' };
  return { ...state, size, root, isSignedBy: (key) => isSignedBy(note, origin, key) };
}

/**
 * The signed lines: the three of every C2SP checkpoint (tlog-checkpoint), and what binds the rest to them. The frontier
 * is bound by the root already; its line is for whoever compares the two texts without a tree at hand.
 */
function textOf({ origin, range, leavesFrom, leaves, atMs }: LogState): string {
  const lines = [
    origin,
    String(range.size),
    range.root().toString('base64'),
    `leaves ${leavesFrom} ${digestOf(leaves)}`,
    `frontier ${digestOf(Buffer.concat(range.hashes, range.hashes.length * HASH_BYTES))}`,
    `at ${atMs}`,
  ];
  return `${lines.join('\n')}\n`;
}

function digestOf(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}
