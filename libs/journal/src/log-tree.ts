import type { KeyObject } from 'node:crypto';
import { type AuditCheckpoint, CHECKPOINT_LEAVES_MAX } from '@warder/contracts';
import { CompactRange, LEAF_PREFIX_BYTES, makeCheckpoint, recordLeafOf } from '@warder/merkle-log';

/** Size and frontier of a tree; hashes are base64. */
interface Head {
  readonly size: number;
  readonly frontier: readonly string[];
}

/** All of a tree that outlives its process. */
export interface TreeState extends Head {
  readonly leavesFrom: number;
  /** Prefixes of the leaves that no acknowledged checkpoint names, base64. */
  readonly leaves: string;
  /** A checkpoint that is on its way: it may have arrived, so it is sent again as it was. */
  readonly pending?: Head & { readonly atMs: number };
}

interface Pending {
  readonly range: CompactRange;
  readonly atMs: number;
}

/** The Merkle tree of one log, and what its next checkpoint is made of. */
export class LogTree {
  private readonly range: CompactRange;
  private leavesFrom: number;
  private readonly leaves = Buffer.alloc(CHECKPOINT_LEAVES_MAX * LEAF_PREFIX_BYTES);
  private pending: Pending | undefined;

  /** @param privateKey - Ed25519; without one there are no checkpoints */
  constructor(
    private readonly origin: string,
    private readonly privateKey: KeyObject | undefined,
    state: TreeState = { size: 0, frontier: [], leavesFrom: 0, leaves: '' },
  ) {
    this.range = rangeOf(state);
    this.leavesFrom = state.leavesFrom;
    Buffer.from(state.leaves, 'base64').copy(this.leaves);
    if (state.pending !== undefined) this.pending = { range: rangeOf(state.pending), atMs: state.pending.atMs };
    this.forgetUnsigned();
  }

  /** Records in the tree: the index of the next one. */
  get size(): number {
    return this.range.size;
  }

  /** Records that no acknowledged checkpoint names. */
  get unnamed(): number {
    return this.range.size - this.leavesFrom;
  }

  /** Whether a checkpoint was begun and is not acknowledged. */
  get isPending(): boolean {
    return this.pending !== undefined;
  }

  /** How many more records fit before there must be a checkpoint. */
  get room(): number {
    return CHECKPOINT_LEAVES_MAX - this.unnamed;
  }

  /** Appends a record's exact bytes, in which its index stands already. */
  append(record: Buffer): void {
    const leaf = recordLeafOf(record);
    leaf.copy(this.leaves, this.unnamed * LEAF_PREFIX_BYTES, 0, LEAF_PREFIX_BYTES);
    this.range.append(leaf);
    this.forgetUnsigned();
  }

  /** Fixes what the next checkpoint says; one that is on its way stays what it is. */
  beginCheckpoint(atMs: number): void {
    this.pending ??= { range: this.range.copy(), atMs };
  }

  /** The checkpoint that was begun: the same bytes each time. */
  checkpoint(): AuditCheckpoint {
    const { range, atMs } = this.pending!;
    const { origin, leavesFrom } = this;
    const leaves = this.leaves.subarray(0, (range.size - leavesFrom) * LEAF_PREFIX_BYTES);
    return makeCheckpoint({ origin, range, leavesFrom, leaves, atMs }, this.privateKey!);
  }

  /** It was acknowledged: the next one names what comes after it. */
  endCheckpoint(): void {
    const { size } = this.pending!.range;
    this.leaves.copyWithin(0, (size - this.leavesFrom) * LEAF_PREFIX_BYTES, this.unnamed * LEAF_PREFIX_BYTES);
    this.leavesFrom = size;
    this.pending = undefined;
  }

  state(): TreeState {
    const leaves = this.leaves.subarray(0, this.unnamed * LEAF_PREFIX_BYTES);
    return {
      ...headOf(this.range),
      leavesFrom: this.leavesFrom,
      leaves: leaves.toString('base64'),
      ...(this.pending && { pending: { ...headOf(this.pending.range), atMs: this.pending.atMs } }),
    };
  }

  private forgetUnsigned(): void {
    if (this.privateKey !== undefined) return;
    this.leavesFrom = this.range.size;
    this.pending = undefined;
  }
}

function headOf(range: CompactRange): Head {
  return { size: range.size, frontier: range.hashes.map((hash) => hash.toString('base64')) };
}

function rangeOf({ size, frontier }: Head): CompactRange {
  return new CompactRange(
    size,
    frontier.map((hash) => Buffer.from(hash, 'base64')),
  );
}
