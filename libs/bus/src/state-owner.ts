import { type ControlState, HEARTBEAT_KEY, MARK_KEY, MARKER_KEY_PREFIX, type Topic } from '@warder/contracts';
import type { NodePresence } from './node-presence.js';
import type { StateTransport } from './state-transport.js';

export const HEARTBEAT_EVERY_MS = 5_000;

/** The owner's side of one state topic: says that it is alive, and answers nodes that ask whether they are up to date. */
export class StateOwner {
  private readonly answered = new Map<string, string>();
  private lastMark = 0;
  private timer: NodeJS.Timeout | undefined;
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly topic: Topic<unknown>,
    private readonly transport: StateTransport,
    private readonly presence: NodePresence,
  ) {}

  /** Starts heartbeats and answers; resolves without waiting for the bus to take the first one. */
  async start(): Promise<void> {
    const beat = (): void =>
      this.say(HEARTBEAT_KEY, { control: 'heartbeat', atMs: this.transport.clock.wallMs() }, () => {});
    beat();
    this.timer = setInterval(beat, HEARTBEAT_EVERY_MS);
    this.timer.unref();
    this.stopListening = await this.presence.listen((seen) => {
      // An earlier process of this owner may have had a clock that ran ahead: its marks must not pass for ours.
      this.lastMark = Math.max(this.lastMark, seen.applied[this.topic.name] ?? 0);
      const nonce = seen.asks[this.topic.name];
      if (nonce === undefined || this.answered.get(seen.node) === nonce) return;
      this.answered.set(seen.node, nonce);
      const marker: ControlState = { control: 'marker', node: seen.node, nonce, atMs: this.transport.clock.wallMs() };
      // The node repeats its question every few seconds, and then gets the answer that could not be sent now.
      this.say(MARKER_KEY_PREFIX + seen.node, marker, () => this.answered.delete(seen.node));
    });
  }

  /**
   * Writes a mark behind everything that was sent before.
   * @returns its number, higher than any before it
   */
  async mark(): Promise<number> {
    const atMs = this.transport.clock.wallMs();
    const number = (this.lastMark = Math.max(this.lastMark + 1, atMs));
    await this.transport.send(this.topic, this.everywhere(MARK_KEY, { control: 'mark', number, atMs }));
    return number;
  }

  stop(): void {
    clearInterval(this.timer);
    this.stopListening?.();
  }

  private say(key: string, control: ControlState, onFailure: () => void): void {
    this.transport.send(this.topic, this.everywhere(key, control)).catch((error: unknown) => {
      this.transport.log.warn({ err: error, topic: this.topic.name, key }, 'the owner could not be heard');
      onFailure();
    });
  }

  /** For every partition: a marker means something for the partition alone that it stands in. */
  private everywhere(key: string, control: ControlState): { key: string; value: Buffer; partition: number }[] {
    const value = Buffer.from(JSON.stringify(control));
    return Array.from({ length: this.topic.partitions }, (_, partition) => ({ key, value, partition }));
  }
}
