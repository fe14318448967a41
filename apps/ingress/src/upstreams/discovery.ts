import type { ToolDefinition, UpstreamCatalogue } from '@warder/contracts';
import type { Logger } from '@warder/telemetry';
import { catalogueOf } from './definition-hash.js';

const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_MAX_MS = 60_000;
// An upstream may say a thousand times a second that its list changed; it is asked for it once in so long.
const REST_MS = 1_000;

export interface DiscoveryParts {
  readonly upstream: string;
  readonly node: string;
  readonly everyMs: number;
  /** Asks the upstream for all its tools. */
  readonly list: (signal: AbortSignal) => Promise<readonly ToolDefinition[]>;
  readonly known: () => UpstreamCatalogue | undefined;
  readonly publish: (catalogue: UpstreamCatalogue) => Promise<void>;
  readonly wallMs: () => number;
  readonly log: Logger;
}

/**
 * Keeps one upstream's catalogue current: at once, when the upstream says that its list changed, and every few
 * minutes; with back-off while it fails. What is known stays, however long the upstream is away.
 */
export class Discovery {
  private readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private isAskedAgain = false;
  private isResting = false;
  private isChanged = false;
  private failures = 0;

  constructor(private readonly parts: DiscoveryParts) {}

  /** Lists now, or once more after the listing that runs. */
  trigger(): void {
    if (this.stopping.signal.aborted) return;
    if (this.running) {
      this.isAskedAgain = true;
      return;
    }
    clearTimeout(this.timer);
    this.isChanged = this.isResting = false;
    this.running = this.discover().finally(() => {
      this.running = undefined;
      if (this.isAskedAgain) {
        this.isAskedAgain = false;
        this.trigger();
      } else this.rest();
    });
  }

  /** The upstream says that its list changed: lists now, or after the rest that follows each listing. */
  changed(): void {
    this.isChanged = true;
    if (!this.running && !this.isResting) this.trigger();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  private rest(): void {
    if (this.stopping.signal.aborted) return;
    const backOffMs = Math.min(BACK_OFF_FIRST_MS * 2 ** (this.failures - 1), BACK_OFF_MAX_MS);
    const delayMs = this.failures === 0 ? this.parts.everyMs : Math.min(backOffMs, this.parts.everyMs);
    const restMs = Math.min(REST_MS, delayMs);
    const wake = () => {
      this.isResting = false;
      if (this.isChanged) this.trigger();
      else this.timer = setTimeout(() => this.trigger(), delayMs - restMs).unref();
    };
    this.isResting = true;
    this.timer = setTimeout(wake, restMs).unref();
  }

  private async discover(): Promise<void> {
    const { upstream, log } = this.parts;
    try {
      const found = catalogueOf(await this.parts.list(this.stopping.signal));
      const known = this.parts.known();
      // The same tools are not news: any node may have listed them before.
      if (known?.status !== 'active' || known.hash !== found.hash) await this.publish(found, known);
      this.failures = 0;
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      this.failures += 1;
      const reason = error instanceof Error ? error.message : 'unknown';
      log.warn({ upstream, failures: this.failures, reason }, 'the tools of an upstream could not be listed');
    }
  }

  private async publish(
    found: Pick<UpstreamCatalogue, 'hash' | 'tools'>,
    known: UpstreamCatalogue | undefined,
  ): Promise<void> {
    const { upstream, node } = this.parts;
    const version = Math.max(Math.floor(this.parts.wallMs()), (known?.version ?? 0) + 1);
    await this.parts.publish({ version, status: 'active', upstream, node, ...found });
  }
}
