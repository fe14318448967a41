import type { Logger } from '@warder/telemetry';

interface Drain {
  readonly name: string;
  readonly rank: number;
  readonly run: () => Promise<void>;
}

/**
 * What the services of a process do before it ends: the service composed last first, and within a service the drain
 * registered last. In standalone the journal empties itself into an audit service that still takes records.
 */
export class Drains {
  private readonly ranks = new Map<string, number>();
  private readonly drains: Drain[] = [];

  /** Gives the service its place in the order; its later drains go there. */
  rankOf(service: string): number {
    const rank = this.ranks.get(service) ?? this.ranks.size;
    this.ranks.set(service, rank);
    return rank;
  }

  add(service: string, name: string, run: () => Promise<void>): void {
    this.drains.push({ name: `${service}.${name}`, rank: this.rankOf(service), run });
  }

  /**
   * Runs each drain, one after the other, for at most `timeoutMs` altogether; one that fails or hangs does not keep
   * the others from running.
   */
  async run(timeoutMs: number, log: Logger): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), timeoutMs);
    });
    const inOrder = this.drains.splice(0).toReversed();
    for (const { name, run } of inOrder.toSorted((one, other) => other.rank - one.rank)) {
      log.debug({ drain: name }, 'draining');
      const isOver = await Promise.race([
        run().then(
          () => false,
          (error: unknown) => {
            log.error({ err: error, drain: name }, 'a drain failed');
            return false;
          },
        ),
        late,
      ]);
      if (isOver) log.error({ drain: name }, 'a drain took too long and was left');
    }
    clearTimeout(timer);
  }
}
