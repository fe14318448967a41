import { randomUUID } from 'node:crypto';
import { NODE_GONE_AFTER_MS, NodeApplied, nodeAppliedTopic } from '@warder/contracts';
import type { Subscription } from './bus.js';
import { decodeMessage } from './message-codec.js';
import { STANDALONE_SERVICE, type StateTransport } from './state-transport.js';

const PRESENCE_EVERY_MS = 5_000;
const RETRY_AFTER_MS = 500;
const RECHECK_EVERY_MS = 250;
const FAREWELL_MS = 1_000;

/** What a node said last, and when that came here. The node's own clock decides nothing, for it may be set back. */
interface Heard {
  readonly said: NodeApplied;
  readonly offset: number;
  /** Monotonic milliseconds. */
  readonly cameAtMs: number;
}

/** What this node says of itself on `warder.node.applied.v1`, and what the others said. */
export class NodePresence {
  private readonly applied: Record<string, number> = {};
  private readonly asks: Record<string, string> = {};
  private readonly incarnation = randomUUID();
  private questions = 0;
  private readonly others = new Map<string, Heard>();
  private readonly listeners = new Set<(seen: NodeApplied) => void>();
  private timer: NodeJS.Timeout | undefined;
  private watching: Promise<Subscription> | undefined;
  private sending: Promise<void> | undefined;
  private changed = false;
  private stopping = false;

  constructor(private readonly transport: StateTransport) {}

  /** Sets the version that this node runs on and says so. */
  setApplied(topicName: string, version: number): void {
    if (this.applied[topicName] === version) return;
    this.applied[topicName] = version;
    this.announce();
  }

  /** Asks the owner of the topic for a marker, and answers the question's number. */
  ask(topicName: string): number {
    this.questions += 1;
    this.asks[topicName] = `${this.incarnation}/${this.questions}`;
    this.announce();
    return this.questions;
  }

  /**
   * Whether the nonce answers the question or a later one of this process: several modules of one node replicate the
   * same topic, and a marker published after the later question also stands behind all that the earlier one waits for.
   */
  isAnswer(nonce: string | undefined, question: number): boolean {
    const [incarnation, number] = nonce?.split('/') ?? [];
    return incarnation === this.incarnation && Number(number) >= question;
  }

  /** Takes the question back, unless a later one about the same topic is open. */
  settle(topicName: string, question: number): void {
    if (this.asks[topicName] !== `${this.incarnation}/${question}`) return;
    delete this.asks[topicName];
    this.announce();
  }

  /** Calls the listener for what every node said and says, this one included; the past first. */
  async listen(listener: (seen: NodeApplied) => void): Promise<() => void> {
    for (const { said } of this.others.values()) listener(said);
    this.listeners.add(listener);
    await this.watch();
    return () => this.listeners.delete(listener);
  }

  /** Whether every live node of the service runs on the version or a later one; false at the time-out. */
  async everyNodeApplied(topicName: string, service: string, version: number, timeoutMs: number): Promise<boolean> {
    // Once the node reads its own question back it has read whatever the others said before.
    const question = this.ask(nodeAppliedTopic.name);
    let isCaughtUp = false;
    let recheck = (): void => {};
    const stopListening = await this.listen((seen) => {
      if (this.isAnswer(seen.asks[nodeAppliedTopic.name], question)) isCaughtUp = true;
      recheck();
    });
    return new Promise((resolve) => {
      const interval = setInterval(() => recheck(), RECHECK_EVERY_MS);
      const timeout = setTimeout(() => finish(false), timeoutMs);
      const finish = (answer: boolean): void => {
        clearInterval(interval);
        clearTimeout(timeout);
        stopListening();
        this.settle(nodeAppliedTopic.name, question);
        resolve(answer);
      };
      recheck = () => {
        if (isCaughtUp && this.haveAllApplied(topicName, service, version)) finish(true);
      };
      recheck();
    });
  }

  /** Says that the node goes, within a second or not at all. */
  async close(): Promise<void> {
    const hasSpoken = this.timer !== undefined;
    clearTimeout(this.timer);
    this.stopping = true;
    if (hasSpoken) {
      const gone = new Promise<void>((resolve) => setTimeout(resolve, FAREWELL_MS).unref());
      await Promise.race([this.send().catch(() => {}), gone]);
    }
    await (await this.watching)?.stop();
  }

  private haveAllApplied(topicName: string, service: string, version: number): boolean {
    const nowMs = this.transport.clock.monotonicMs();
    for (const { said, cameAtMs } of this.others.values()) {
      const isOfService = said.service === service || said.service === STANDALONE_SERVICE;
      // What the topic kept of a node that is gone comes when the watch begins, and passes for alive as long.
      if (!isOfService || said.stopping || nowMs - cameAtMs > NODE_GONE_AFTER_MS) continue;
      if ((said.applied[topicName] ?? 0) < version) return false;
    }
    return true;
  }

  private watch(): Promise<Subscription> {
    this.watching ??= this.transport.watchRaw(nodeAppliedTopic, 'beginning', (raw) => {
      const said = decodeMessage(nodeAppliedTopic, raw.value);
      // Its writer is who the key names, and speaks for nobody else.
      if (said === undefined || said.node !== raw.key) return;
      const before = this.others.get(said.node);
      const offset = Number(raw.offset);
      // Read again after a rejoin. On a topic that was made anew offsets begin again, but times do not.
      if (before !== undefined && offset <= before.offset && said.atMs <= before.said.atMs) return;
      this.others.set(said.node, { said, offset, cameAtMs: this.transport.clock.monotonicMs() });
      for (const listener of this.listeners) listener(said);
    });
    return this.watching;
  }

  /** Changes of one tick go out as one message, and while one is on its way the next waits. */
  private announce(): void {
    if (this.stopping) return;
    this.changed = true;
    this.sending ??= Promise.resolve()
      .then(() => this.sendChanges())
      .finally(() => {
        this.sending = undefined;
        if (this.changed) this.announce();
      });
  }

  private async sendChanges(): Promise<void> {
    let delayMs = PRESENCE_EVERY_MS;
    while (this.changed && !this.stopping) {
      this.changed = false;
      try {
        await this.send();
      } catch (error) {
        this.transport.log.warn({ err: error }, 'could not say what this node runs on');
        delayMs = RETRY_AFTER_MS;
        // Whatever changed meanwhile goes with the retry.
        this.changed = false;
      }
    }
    if (this.stopping) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.announce(), delayMs);
    this.timer.unref();
  }

  private send(): Promise<void> {
    const { node, service, clock } = this.transport;
    const { applied, asks, stopping } = this;
    const value: NodeApplied = { node, service, atMs: clock.wallMs(), applied, asks, stopping };
    return this.transport.send(nodeAppliedTopic, [{ key: node, value: Buffer.from(JSON.stringify(value)) }]);
  }
}
