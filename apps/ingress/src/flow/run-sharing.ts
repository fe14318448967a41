import { randomUUID } from 'node:crypto';
import type { Bus } from '@warder/bus';
import { type RunState, runStateTopic } from '@warder/contracts';
import { has, SOURCES_MAX, VALUES_MAX } from '@warder/flow';
import type { Logger } from '@warder/telemetry';
import type { RunStore } from './run-store.js';

/** Milliseconds between two marks, and after which a mark that did not come back says that the bus is stale. */
const MARK_EVERY_MS = 2_000;
const STALE_AFTER_MS = 10_000;
/** Messages that wait for a bus which takes none. */
const UNSENT_MAX = 10_000;

export interface SharingParts {
  readonly bus: Bus;
  readonly clock: { wallMs(): number; monotonicMs(): number };
  readonly log: Logger;
}

type Seen = Extract<RunState, { kind: 'seen' }>;

/**
 * Tells the other nodes what runs have seen, and learns it from them. It reads from the beginning of what is kept, so
 * that a node which starts anew knows what was seen before; until its own mark has come back it knows that it may not.
 * Nobody waits for it: between an answer and its message on another node lie the milliseconds of the bus.
 */
export class RunSharing {
  private lastBackAtMs = -Infinity;
  private readonly marks = new Map<string, number>();
  /** What the bus did not take; it is sent again with the next mark. */
  private readonly unsent: Seen[] = [];
  private store: RunStore | undefined;

  constructor(private readonly parts: SharingParts) {}

  /** Whether something that other nodes saw may not have been read here. */
  isBehind(): boolean {
    return this.parts.clock.monotonicMs() - this.lastBackAtMs > STALE_AFTER_MS;
  }

  async start(store: RunStore): Promise<() => void> {
    this.store = store;
    const watching = await this.parts.bus.watch(runStateTopic, 'beginning', ({ value }) => this.apply(value));
    this.mark();
    const timer = setInterval(() => this.mark(), MARK_EVERY_MS).unref();
    return () => {
      clearInterval(timer);
      void watching.stop();
    };
  }

  /** Sends on what an answer brought; what the bus does not take is sent again, in its order, for as long as it must. */
  tell(seen: Omit<Seen, 'kind' | 'node' | 'atMs'>): void {
    const { bus, clock } = this.parts;
    this.sendSeen({ kind: 'seen', node: bus.node, atMs: clock.wallMs(), ...seen });
  }

  private sendSeen(seen: Seen): void {
    this.send(seen.runs[0]!, seen, () => {
      if (this.unsent.length < UNSENT_MAX) this.unsent.push(seen);
    });
  }

  private mark(): void {
    const { bus, clock } = this.parts;
    for (const seen of this.unsent.splice(0)) this.sendSeen(seen);
    const mark = randomUUID();
    this.marks.set(mark, clock.monotonicMs());
    for (const [sent, atMs] of this.marks) if (clock.monotonicMs() - atMs > STALE_AFTER_MS) this.marks.delete(sent);
    this.send(bus.node, { kind: 'mark', node: bus.node, atMs: clock.wallMs(), mark });
  }

  private send(key: string, message: RunState, onFailed?: () => void): void {
    this.parts.bus.publish(runStateTopic, key, message).catch((error: unknown) => {
      this.parts.log.warn({ err: error }, 'what a run has seen could not be told');
      onFailed?.();
    });
  }

  private apply(message: RunState): void {
    const { bus, clock } = this.parts;
    if (message.kind === 'mark') {
      const sentAtMs = message.node === bus.node ? this.marks.get(message.mark) : undefined;
      if (sentAtMs !== undefined) this.lastBackAtMs = Math.max(this.lastBackAtMs, sentAtMs);
      return;
    }
    const ageMs = Math.max(0, clock.wallMs() - message.atMs);
    if (ageMs < message.windowMs) this.add(message, clock.monotonicMs());
  }

  /** Total: what is beyond a bound makes the run unknown. */
  private add(seen: Seen, nowMs: number): void {
    for (const name of seen.runs) {
      const run = this.store?.ofNode(name, seen.runs.length === 1, seen.windowMs, nowMs);
      if (run === undefined) continue;
      run.bits |= seen.bits & 3;
      run.isUnknown ||= seen.isUnknown;
      if (!has(seen.bits, 'untrusted')) continue;
      const { callId, tool, bits } = seen;
      const isKnown = run.sources.some((source) => source.callId === callId);
      if (!isKnown && run.sources.length < SOURCES_MAX) run.sources.push({ callId, tool, bits });
      for (const value of seen.values) {
        if (run.values.has(value)) continue;
        if (run.values.size < VALUES_MAX) run.values.set(value, run.sources.length - 1);
        else run.isUnknown = true;
      }
    }
  }
}
