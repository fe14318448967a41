/** A promise and its ends. */
export interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

/** Who waits for frames that are written, or synced, together. */
export class WriteBatch {
  /** Settles with the frames of sequences that began in the batch, and the other with those that close older ones. */
  private openedEnd: Deferred | undefined;
  private closedEnd: Deferred | undefined;
  /** Intents that nobody has been told of. */
  readonly intents: number[] = [];

  get opened(): Promise<void> {
    return (this.openedEnd ??= deferred()).promise;
  }

  get closed(): Promise<void> {
    return (this.closedEnd ??= deferred()).promise;
  }

  get isAwaited(): boolean {
    return this.openedEnd !== undefined || this.closedEnd !== undefined;
  }

  resolve(): void {
    this.openedEnd?.resolve();
    this.closedEnd?.resolve();
  }

  /** What began is refused; what closes is done once `later` is, for its call has happened. */
  refuse(error: Error, later: Promise<void>): void {
    this.openedEnd?.reject(error);
    const { closedEnd } = this;
    if (closedEnd === undefined) return;
    void later.then(
      () => closedEnd.resolve(),
      (failure: Error) => closedEnd.reject(failure),
    );
  }

  reject(error: Error): void {
    this.openedEnd?.reject(error);
    this.closedEnd?.reject(error);
  }
}

/** Everybody who waits for frames of one log: for the page cache, or for the disk. */
export class WriteWaiters {
  private loose = new WriteBatch();
  private strict = new WriteBatch();
  /** Of ticks that are written and of no sync yet, and of the sync that is outstanding. */
  private written: WriteBatch[] = [];
  private syncing: readonly WriteBatch[] = [];

  /** The batch of the tick that is being made. */
  ofTick(isStrict: boolean): WriteBatch {
    return isStrict ? this.strict : this.loose;
  }

  /** The tick is in the page cache. @returns whether somebody waits for the disk */
  tickWritten(): boolean {
    const { loose, strict } = this;
    if (loose.isAwaited) this.loose = new WriteBatch();
    loose.resolve();
    if (!strict.isAwaited) return false;
    this.written.push(strict);
    this.strict = new WriteBatch();
    return true;
  }

  /** A sync begins, of all that is written. */
  syncBegins(): void {
    this.syncing = this.written;
    this.written = [];
  }

  synced(): void {
    for (const batch of this.syncing) batch.resolve();
    this.syncing = [];
  }

  /** Hands out all who wait still; nobody is left. */
  takeAll(): WriteBatch[] {
    const batches = [...this.syncing, ...this.written, this.loose, this.strict];
    this.syncing = this.written = [];
    this.loose = new WriteBatch();
    this.strict = new WriteBatch();
    return batches;
  }
}

/** A promise that may fail without anybody looking: a record of a refusal must not end the process. */
export function deferred(): Deferred {
  let resolve!: () => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  promise.catch(() => {});
  return { promise, resolve, reject };
}
