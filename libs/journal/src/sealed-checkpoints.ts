import { readdirSync } from 'node:fs';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = /^(\d{1,16})-(\d{1,16})\.checkpoint$/;
const DRAFT = 'draft.checkpoint.new';
/** Of one log: some 33 M records, and 360 MB at most. */
const SEALED_MAX = 1_024;

/** A range of records, `to` excluded, whose checkpoint waits in a file. */
interface Sealed {
  readonly from: number;
  readonly to: number;
}

/**
 * Checkpoints of one log that are made and not acknowledged, a file for each, oldest first. The tree's own state holds
 * the leaves of one checkpoint only; without these files no record could be told apart, nor sent, behind it.
 */
export class SealedCheckpoints {
  private readonly waiting: Sealed[];

  /** @throws the disk's error */
  constructor(private readonly dir: string) {
    this.waiting = sealedIn(dir);
  }

  /** Records that they name. */
  get records(): number {
    return this.waiting.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /**
   * Resolves when the checkpoint of the range is on the disk. One of the same range has the same bytes.
   * @throws Error where as many wait as may; the disk's error
   */
  async add(range: Sealed, bytes: Buffer): Promise<void> {
    const isThere = this.waiting.some(({ to }) => to === range.to);
    if (!isThere && this.waiting.length >= SEALED_MAX) {
      throw new Error(`${SEALED_MAX} checkpoints are not acknowledged: records wait for them`);
    }
    const draft = join(this.dir, DRAFT);
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.pathOf(range));
    await this.syncDirectory();
    if (!isThere) this.waiting.push(range);
  }

  /** The oldest one's bytes, or `undefined` where none waits. */
  async oldest(): Promise<{ readonly size: number; readonly bytes: Buffer } | undefined> {
    const [first] = this.waiting;
    return first && { size: first.to, bytes: await readFile(this.pathOf(first)) };
  }

  /** The oldest one was acknowledged. A file that comes back after a power cut is sent again as it was. */
  async removeOldest(): Promise<void> {
    const [first] = this.waiting;
    if (first === undefined) return;
    await rm(this.pathOf(first), { force: true });
    this.waiting.shift();
  }

  private pathOf({ from, to }: Sealed): string {
    return join(this.dir, `${from}-${to}.checkpoint`);
  }

  private async syncDirectory(): Promise<void> {
    const directory = await open(this.dir, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }
}

/** Records of a log whose checkpoints wait in files. */
export function sealedRecords(dir: string): number {
  return new SealedCheckpoints(dir).records;
}

function sealedIn(dir: string): Sealed[] {
  return readdirSync(dir)
    .flatMap((name) => {
      const [, from, to] = NAME.exec(name) ?? [];
      return from === undefined ? [] : [{ from: Number(from), to: Number(to) }];
    })
    .sort((one, other) => one.to - other.to);
}
