import { rewrapAll, type RewrapProgress, type SealedRows } from './rewrap-all.js';
import { type SealContext, SecretError, type SecretStore } from './secret-store.js';

/** How far a move of one kind of secrets is. */
export interface MoveProgress {
  readonly total: number;
  /** Looked at and verified in the new store, or failed. */
  readonly done: number;
  readonly moved: number;
  readonly failed: number;
}

export interface MoveOptions {
  readonly from: SecretStore;
  readonly to: SecretStore;
  readonly tell?: (progress: MoveProgress) => void;
  /** Told of what could not be moved, by its name or row; never with its value. */
  readonly onFailed?: (what: string, error: unknown) => void;
}

/**
 * Copies every named secret, each read back from the new store and compared. What is there already, and the same, is
 * left; so a move that was broken off is begun again.
 * @throws SecretError while a store is away
 */
export async function moveNamed({ from, to, tell, onFailed }: MoveOptions): Promise<MoveProgress> {
  const names = await from.list();
  let progress: MoveProgress = { total: names.length, done: 0, moved: 0, failed: 0 };
  for (const name of names) {
    const outcome = await attempt(name, () => moveOne(name, from, to), onFailed);
    progress = counted(progress, outcome);
    tell?.(progress);
  }
  return progress;
}

/** Removes from the old store what the new one holds, and nothing else. @returns how many */
export async function removeMoved(from: SecretStore, to: SecretStore): Promise<number> {
  let removed = 0;
  for (const name of await from.list()) {
    const value = await from.get(name);
    if (value !== undefined && (await to.get(name)) === value && (await from.remove(name))) removed += 1;
  }
  return removed;
}

/**
 * Seals every value of a column for the new store, opened there again and compared before it replaces the old one, and
 * read back from the column after it.
 * @throws SecretError while a store is away
 */
export async function moveSealed(rows: SealedRows<SealContext>, options: MoveOptions): Promise<MoveProgress> {
  const { from, to, tell, onFailed } = options;
  const asMove = ({ total, done, changed, failed }: RewrapProgress) => ({ total, done, moved: changed, failed });
  const moved = await rewrapAll<SealContext>({
    rows,
    rewrap: async (sealed, context) => {
      if (isOf(sealed, to)) {
        await to.open(sealed, context);
        return sealed;
      }
      const plain = await from.open(sealed, context);
      const sealedAnew = await to.seal(plain, context);
      if (!(await to.open(sealedAnew, context)).equals(plain)) throw new Error('the new store opens another value');
      return sealedAnew;
    },
    tell: (progress) => tell?.(asMove(progress)),
    onFailed: (row, error) => {
      if (isAway(error)) throw error;
      onFailed?.(`${row.context.table}.${row.context.column} of ${row.context.row}`, error);
    },
  });
  return asMove(moved);
}

async function moveOne(name: string, from: SecretStore, to: SecretStore): Promise<boolean> {
  const source = await from.read(name);
  // Removed since it was listed.
  if (!source) return false;
  const there = await to.read(name);
  if (there?.value === source.value) return false;
  await to.put(name, source.value, there?.version ?? 0);
  if ((await to.get(name)) !== source.value) throw new Error('the new store holds another value');
  return true;
}

async function attempt(
  what: string,
  work: () => Promise<boolean>,
  onFailed: MoveOptions['onFailed'],
): Promise<'moved' | 'kept' | 'failed'> {
  try {
    return (await work()) ? 'moved' : 'kept';
  } catch (error) {
    if (isAway(error)) throw error;
    onFailed?.(what, error);
    return 'failed';
  }
}

function counted(progress: MoveProgress, outcome: 'moved' | 'kept' | 'failed'): MoveProgress {
  const { total, done, moved, failed } = progress;
  const [more, worse] = [outcome === 'moved' ? 1 : 0, outcome === 'failed' ? 1 : 0];
  return { total, done: done + 1, moved: moved + more, failed: failed + worse };
}

function isOf(sealed: string, store: SecretStore): boolean {
  return sealed.startsWith(store.kind === 'vault' ? 't1.' : 'v2.');
}

function isAway(error: unknown): boolean {
  return error instanceof SecretError && error.isUnavailable;
}
