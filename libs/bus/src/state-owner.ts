import { type ControlState, HEARTBEAT_KEY, MARKER_KEY_PREFIX, type Topic } from '@warder/contracts';
import type { NodePresence } from './node-presence.js';
import type { StateTransport } from './state-transport.js';

export const HEARTBEAT_EVERY_MS = 5_000;

/** The owner's side of one state topic: says that it is alive, and answers nodes that ask whether they are up to date. */
export class StateOwner {
  private readonly answered = new Map<string, string>();
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
      const nonce = seen.asks[this.topic.name];
      if (nonce === undefined || this.answered.get(seen.node) === nonce) return;
      this.answered.set(seen.node, nonce);
      const marker: ControlState = { control: 'marker', node: seen.node, nonce, atMs: this.transport.clock.wallMs() };
      // The node repeats its question every few seconds, and then gets the answer that could not be sent now.
      this.say(MARKER_KEY_PREFIX + seen.node, marker, () => this.answered.delete(seen.node));
    });
  }

  stop(): void {
    clearInterval(this.timer);
    this.stopListening?.();
  }

  /** To every partition: a marker means something for the partition alone that it stands in. */
  private say(key: string, control: ControlState, onFailure: () => void): void {
    const value = Buffer.from(JSON.stringify(control));
    const entries = Array.from({ length: this.topic.partitions }, (_, partition) => ({ key, value, partition }));
    this.transport.send(this.topic, entries).catch((error: unknown) => {
      this.transport.log.warn({ error, topic: this.topic.name, key }, 'the owner could not be heard');
      onFailure();
    });
  }
}
