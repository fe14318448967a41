import type { BusLog, RawEntry, RawMessage } from './bus.js';
import { InProcessGroup } from './in-process-group.js';

const EVENTS_KEPT_MAX = 1_000;

/** One topic in memory: the newest value of each key, or the last events; its watchers and durable groups. */
export class InProcessTopic {
  private readonly kept = new Map<string, RawMessage>();
  private readonly watchers = new Set<(message: RawMessage) => void>();
  private readonly groups = new Map<string, InProcessGroup>();
  private readonly grouped: (() => void)[] = [];
  private offset = 0;

  constructor(
    private readonly isCompacted: boolean,
    private readonly log: BusLog,
  ) {}

  /** Hands the messages to every watcher at once and resolves when every durable group has committed them. */
  async publish(entries: readonly RawEntry[], timestampMs: number): Promise<void> {
    const messages = entries.map(({ key, value }): RawMessage => {
      const offset = String(this.offset++);
      return { key, value, partition: 0, offset, timestampMs };
    });
    for (const message of messages) this.keep(message);
    for (const watcher of this.watchers) for (const message of messages) watcher(message);
    await Promise.all([...this.groups.values()].map((group) => group.deliver(messages)));
  }

  /** Resolves once a durable group has been named. */
  hasGroup(): Promise<void> {
    if (this.groups.size > 0) return Promise.resolve();
    return new Promise((resolve) => this.grouped.push(resolve));
  }

  watch(from: 'beginning' | 'end', watcher: (message: RawMessage) => void): () => void {
    if (from === 'beginning') for (const message of this.kept.values()) watcher(message);
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  group(name: string): InProcessGroup {
    const known = this.groups.get(name);
    if (known !== undefined) return known;
    const group = new InProcessGroup(name, this.log);
    // Nobody waits for the commit of what was published before the group had a name.
    void group.deliver([...this.kept.values()]).catch(() => {});
    this.groups.set(name, group);
    for (const resolve of this.grouped.splice(0)) resolve();
    return group;
  }

  /** @throws BusError `refused` while the group has a handler */
  rewind(groupName: string, to: number | 'beginning'): void {
    const group = this.group(groupName);
    group.rewind([...this.kept.values()], ({ timestampMs }) => to === 'beginning' || timestampMs >= to);
  }

  async close(): Promise<void> {
    this.watchers.clear();
    await Promise.all([...this.groups.values()].map((group) => group.close()));
  }

  private keep(message: RawMessage): void {
    const name = this.isCompacted ? message.key! : message.offset;
    // A late subscriber reads one value per key, which must not be a stale one.
    if (this.isCompacted && message.value.length > 0 && versionOf(message) < versionOf(this.kept.get(name))) return;
    this.kept.delete(name);
    if (this.isCompacted && message.value.length === 0) return;
    this.kept.set(name, message);
    if (this.isCompacted || this.kept.size <= EVENTS_KEPT_MAX) return;
    const [oldest] = this.kept.keys();
    this.kept.delete(oldest!);
  }
}

/** The version of a state; 0 for tombstones and what is no versioned state. */
function versionOf(message: RawMessage | undefined): number {
  if (message === undefined || message.value.length === 0) return 0;
  try {
    const { version } = JSON.parse(message.value.toString('utf8')) as { version?: unknown };
    return typeof version === 'number' ? version : 0;
  } catch {
    return 0;
  }
}
