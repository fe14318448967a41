/** The work of one sync, by parts that know the files. */
export interface SyncWork<Task> {
  /** What is written and not synced, or `undefined` where nothing is. */
  begin(): Task | undefined;
  /** Puts it on the disk, off the loop; calls back later, never at once. */
  run(task: Task, done: (error: Error | null) => void): void;
  done(task: Task): void;
  failed(error: Error): void;
}

/** Waits for the disk: one sync is outstanding at a time, for whatever was written until it began. */
export class GroupSync<Task> {
  private isRunning = false;
  private isWanted: 'no' | 'soon' | 'now' = 'no';
  private timer: NodeJS.Timeout | undefined;
  /** Grows when a sync is abandoned: what it says later does not count. */
  private life = 0;

  /** @param everyMs - how long written bytes may wait for others to share their sync */
  constructor(
    private readonly everyMs: number,
    private readonly work: SyncWork<Task>,
  ) {}

  /** Says that something was written. @param isUrgent - somebody waits for it */
  request(isUrgent: boolean): void {
    if (this.isRunning) {
      if (this.isWanted !== 'now') this.isWanted = isUrgent ? 'now' : 'soon';
      return;
    }
    if (isUrgent) this.start();
    else this.timer ??= setTimeout(() => this.start(), this.everyMs);
  }

  /** Forgets the sync that is outstanding: its files are not counted on any more. */
  abandon(): void {
    this.life++;
    this.isRunning = false;
    this.isWanted = 'no';
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private start(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.isWanted = 'no';
    const task = this.work.begin();
    if (task === undefined) return;
    const { life } = this;
    this.isRunning = true;
    this.work.run(task, (error) => {
      if (life !== this.life) return;
      this.isRunning = false;
      if (error !== null) return this.work.failed(error);
      this.work.done(task);
      if (this.isWanted !== 'no') this.request(this.isWanted === 'now');
    });
  }
}
