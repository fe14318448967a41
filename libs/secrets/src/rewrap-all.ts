/** How far a walk over sealed values is. `total` is known from the beginning where the owner can count. */
export interface RewrapProgress {
  readonly total: number;
  /** Looked at, changed or not. */
  readonly done: number;
  readonly changed: number;
  /** That could not be opened or sealed; they stay as they are. */
  readonly failed: number;
}

/** A sealed value and where it stands; `id` orders the walk. */
export interface SealedRow<C> {
  readonly id: string;
  readonly sealed: string;
  readonly context: C;
}

/** What owns sealed values: reads a page of them and replaces one, if it is still what it was. */
export interface SealedRows<C> {
  count(): Promise<number>;
  /** At most `limit` rows whose id is greater than `after`, in the order of their ids. */
  page(after: string | undefined, limit: number): Promise<readonly SealedRow<C>[]>;
  /** @returns false when the row is gone or holds another value by now: the newer one was sealed by its writer */
  replace(row: SealedRow<C>, sealed: string): Promise<boolean>;
}

export interface RewrapAllOptions<C> {
  readonly rows: SealedRows<C>;
  /** `rewrap` of the store, or from one store to another. */
  readonly rewrap: (sealed: string, context: C) => Promise<string>;
  readonly pageRows?: number;
  readonly signal?: AbortSignal;
  readonly tell?: (progress: RewrapProgress) => void;
  /** Told of a value that stays as it is. @throws to end the walk, as while the store is away */
  readonly onFailed?: (row: SealedRow<C>, error: unknown) => void;
}

/**
 * Walks over every sealed value of an owner, page by page, and seals anew what is not current. It may be broken off and
 * begun again at any time: each value is replaced by itself, compared with what was read.
 */
export async function rewrapAll<C>(options: RewrapAllOptions<C>): Promise<RewrapProgress> {
  const { rows, pageRows = 100, signal, tell } = options;
  let progress: RewrapProgress = { total: await rows.count(), done: 0, changed: 0, failed: 0 };
  let after: string | undefined;
  for (;;) {
    const page = await rows.page(after, pageRows);
    for (const row of page) {
      signal?.throwIfAborted();
      const outcome = await rewrapOne(row, options);
      progress = {
        total: Math.max(progress.total, progress.done + 1),
        done: progress.done + 1,
        changed: progress.changed + (outcome === 'changed' ? 1 : 0),
        failed: progress.failed + (outcome === 'failed' ? 1 : 0),
      };
      tell?.(progress);
    }
    after = page.at(-1)?.id;
    if (page.length < pageRows) return progress;
  }
}

async function rewrapOne<C>(
  row: SealedRow<C>,
  { rows, rewrap, onFailed }: RewrapAllOptions<C>,
): Promise<'changed' | 'kept' | 'failed'> {
  let sealed: string;
  try {
    sealed = await rewrap(row.sealed, row.context);
  } catch (error) {
    onFailed?.(row, error);
    return 'failed';
  }
  if (sealed === row.sealed) return 'kept';
  return (await rows.replace(row, sealed)) ? 'changed' : 'kept';
}
