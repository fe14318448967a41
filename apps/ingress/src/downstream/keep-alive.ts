/** A stream that may be silent. */
interface Silent {
  keepAlive(): void;
}

/** Tells every silent stream that it is still there: one timer for all of them. */
export class KeepAlive {
  private readonly streams = new Set<Silent>();
  private readonly timer: NodeJS.Timeout;

  /** @param everyMs - milliseconds between two signs, 15,000 at most: proxies give up after 30-60 s */
  constructor(everyMs: number) {
    this.timer = setInterval(() => this.tick(), everyMs).unref();
  }

  add(stream: Silent): void {
    this.streams.add(stream);
  }

  remove(stream: Silent): void {
    this.streams.delete(stream);
  }

  /** Gives every stream a sign. */
  tick(): void {
    for (const stream of this.streams) stream.keepAlive();
  }

  close(): void {
    clearInterval(this.timer);
  }
}
