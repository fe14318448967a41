import type { UpstreamCatalogue } from '@warder/contracts';
import type { Logger } from '@warder/telemetry';
import type { DefinitionsStore } from './definitions.store.js';

const RETRY_MS = 1_000;

/**
 * Takes in what nodes discover, one upstream after the other, the newest of each. The topic keeps what was listed last, so
 * nothing is lost with this process; what the database does not take is tried again.
 */
export class DiscoveredDefinitions {
  private readonly waiting = new Map<string, UpstreamCatalogue>();
  private running: Promise<void> | undefined;
  private isStopped = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly store: Pick<DefinitionsStore, 'observe'>,
    private readonly log: Logger,
  ) {}

  /** Takes in a message of the discovery topic. */
  apply(upstream: string, catalogue: UpstreamCatalogue): void {
    this.waiting.set(upstream, catalogue);
    this.run();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    this.wake();
    await this.running;
  }

  private run(): void {
    if (this.isStopped) return;
    this.running ??= this.work().finally(() => {
      this.running = undefined;
      // What came after the last look.
      if (this.waiting.size > 0) this.run();
    });
  }

  private async work(): Promise<void> {
    for (let next = this.next(); next !== undefined && !this.isStopped; next = this.next()) {
      this.waiting.delete(next.upstream);
      try {
        await this.store.observe(next);
      } catch (error) {
        this.log.warn({ err: error, upstream: next.upstream }, 'the tools of an upstream could not be kept yet');
        if (!this.waiting.has(next.upstream)) this.waiting.set(next.upstream, next);
        await this.rest();
      }
    }
  }

  private next(): UpstreamCatalogue | undefined {
    return this.waiting.values().next().value;
  }

  private rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
