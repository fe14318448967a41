import type { Position } from './position.js';

const SAMPLE_EVERY_MS = 1_000;
const SAMPLES_MAX = 1_024;

/** When what is not delivered yet was written, to the second, without a time in every frame. */
export class DeliveryAge {
  private samples: { readonly behind: Position; readonly atMs: number }[] = [];

  /** Notes that the log now ends at `committed`. */
  note(delivered: Position, committed: Position, nowMs: number): void {
    this.forget(delivered);
    const last = this.samples.at(-1);
    if (last !== undefined && nowMs - last.atMs < SAMPLE_EVERY_MS) return;
    if (this.samples.length >= SAMPLES_MAX) this.samples = this.samples.filter((_, index) => index % 2 === 0);
    this.samples.push({ behind: committed, atMs: nowMs });
  }

  /** Milliseconds since the oldest frame behind `delivered` was written; 0 where everything is delivered. */
  oldestMs(delivered: Position, nowMs: number): number {
    this.forget(delivered);
    const [oldest] = this.samples;
    return oldest === undefined ? 0 : nowMs - oldest.atMs;
  }

  private forget(delivered: Position): void {
    while (this.samples.length > 0 && this.samples[0]!.behind <= delivered) this.samples.shift();
  }
}
