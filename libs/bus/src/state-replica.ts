import { ControlState, type Topic } from '@warder/contracts';
import type { RawMessage, Replica, Subscription } from './bus.js';
import { CONTROL_KEY_PREFIX, decodeMessage } from './message-codec.js';
import type { NodePresence } from './node-presence.js';
import type { StateTransport } from './state-transport.js';
import type { TopicReplicas } from './topic-replicas.js';

const CLOCK_SKEW_MAX_MS = 60_000;

/** One node's copy of one state topic. A revoked value wins over a stale one because versions only grow. */
export class StateReplica<M extends { version: number }> implements Replica {
  readonly ready: Promise<void>;
  private readonly versions = new Map<string, number>();
  /** By partition, the furthest offset that was read: what stands before it comes again after a rejoin. */
  private readonly furthest = new Map<number, number>();
  private readonly unreadable = new Set<string>();
  private readonly markedPartitions = new Set<number>();
  private readonly marks = new Map<number, number>();
  private question = 0;
  private heardAtMs = -Infinity;
  private isMarked = false;
  private becomeReady = (): void => {};
  private subscription: Subscription | undefined;

  constructor(
    private readonly topic: Topic<M>,
    private readonly apply: (key: string, value: M) => void,
    private readonly transport: StateTransport,
    private readonly presence: NodePresence,
    private readonly siblings: TopicReplicas,
  ) {
    this.ready = new Promise((resolve) => (this.becomeReady = resolve));
  }

  /** Begins to read and asks for a marker; does not wait for either. */
  async start(): Promise<this> {
    this.siblings.add(this);
    this.subscription = await this.transport.watchRaw(this.topic, 'beginning', (raw) => this.receive(raw));
    this.question = this.presence.ask(this.topic.name);
    return this;
  }

  isReady(): boolean {
    return this.isMarked;
  }

  staleMs(nowMs: number): number {
    return Math.max(0, nowMs - this.heardAtMs);
  }

  unreadableKeys(): readonly string[] {
    return [...this.unreadable];
  }

  /** The last mark of the owner that this replica has come to in every partition; 0 before the first one. */
  lastMark(): number {
    return this.marks.size < this.topic.partitions ? 0 : Math.min(...this.marks.values());
  }

  async stop(): Promise<void> {
    this.siblings.delete(this);
    if (!this.isMarked) this.presence.settle(this.topic.name, this.question);
    await this.subscription?.stop();
  }

  private receive(raw: RawMessage): void {
    if (raw.key === null) return;
    if (raw.key.startsWith(CONTROL_KEY_PREFIX)) return this.receiveControl(raw);
    // A tombstone collects garbage; it says nothing about the thing, which was revoked by a value long before.
    if (raw.value.length === 0) return;
    const value = decodeMessage(this.topic, raw.value);
    if (value === undefined) {
      this.unreadable.add(raw.key);
      const { partition, offset } = raw;
      this.transport.log.error({ topic: this.topic.name, partition, offset }, 'a state was refused by its schema');
      return;
    }
    this.unreadable.delete(raw.key);
    const isAgain = this.isReadAgain(raw);
    const version = this.versions.get(raw.key) ?? 0;
    if (value.version < version - (this.topic.isVersionedByClock ? CLOCK_SKEW_MAX_MS : 0) && !isAgain)
      this.transport.refuse({ topic: this.topic.name, reason: 'version-old' }, raw);
    if (value.version <= version) return;
    this.apply(raw.key, value);
    this.versions.set(raw.key, value.version);
  }

  private isReadAgain({ partition, offset }: RawMessage): boolean {
    const at = Number(offset);
    const isAgain = at <= (this.furthest.get(partition) ?? -1);
    if (!isAgain) this.furthest.set(partition, at);
    return isAgain;
  }

  private receiveControl(raw: RawMessage): void {
    const control = readControl(raw.value);
    if (control === undefined) return;
    // An owner whose clock runs ahead must not look alive for longer than it is.
    this.heardAtMs = Math.max(this.heardAtMs, Math.min(control.atMs, this.transport.clock.wallMs()));
    if (control.control === 'mark') {
      // One that is sent again takes nothing back.
      this.marks.set(raw.partition, Math.max(control.number, this.marks.get(raw.partition) ?? 0));
      return this.siblings.sayMark();
    }
    if (this.isMarked || control.control !== 'marker' || this.question === 0) return;
    if (!this.presence.isAnswer(control.nonce, this.question)) return;
    this.markedPartitions.add(raw.partition);
    if (this.markedPartitions.size < this.topic.partitions) return;
    this.isMarked = true;
    this.presence.settle(this.topic.name, this.question);
    this.becomeReady();
  }
}

function readControl(value: Buffer): ControlState | undefined {
  try {
    return ControlState.parse(JSON.parse(value.toString('utf8')));
  } catch {
    return undefined;
  }
}
