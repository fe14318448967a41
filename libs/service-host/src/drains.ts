import type { Logger } from '@warder/telemetry';

/** What the services of a process do before it ends, last registered first. */
export class Drains {
  private readonly drains: { name: string; drain: () => Promise<void> }[] = [];

  add(name: string, drain: () => Promise<void>): void {
    this.drains.push({ name, drain });
  }

  /**
   * Runs each drain, one after the other, for at most `timeoutMs` altogether; one that fails or hangs does not keep
   * the others from running.
   */
  async run(timeoutMs: number, log: Logger): Promise<void> {
    const deadline = new AbortController();
    const timer = setTimeout(() => deadline.abort(), timeoutMs);
    for (const { name, drain } of this.drains.splice(0).toReversed()) {
      const isOver = await Promise.race([
        drain().then(
          () => false,
          (error: unknown) => {
            log.error({ err: error, drain: name }, 'a drain failed');
            return false;
          },
        ),
        aborted(deadline.signal),
      ]);
      if (isOver) log.error({ drain: name }, 'a drain took too long and was left');
    }
    clearTimeout(timer);
  }
}

async function aborted(signal: AbortSignal): Promise<true> {
  if (signal.aborted) return true;
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(true), { once: true }));
}
