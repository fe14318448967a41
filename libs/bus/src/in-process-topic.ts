import type { BusClock, BusLog, GroupLag, RawEntry, RawMessage } from './bus.js';
import { InProcessGroup } from './in-process-group.js';

const EVENTS_KEPT_MAX = 1_000;

export type BatchHandler = (batch: readonly RawMessage[]) => Promise<void>;

/** One topic of an in-process bus. */
export interface TopicOfProcess {
  /** Resolves when the messages can no longer be lost by the end of the process. */
  publish(entries: readonly RawEntry[], timestampMs: number): Promise<void>;
  watch(from: 'beginning' | 'end', watcher: (message: RawMessage) => void): Promise<() => void>;
  /** Hands the group's messages to the handler until the answered function is called. */
  start(group: string, handler: BatchHandler, batchMessagesMax?: number): Promise<() => Promise<void>>;
  rewind(group: string, to: number | 'beginning'): Promise<void>;
  lag(group: string): Promise<GroupLag>;
  /** The groups that have a handler, with the milliseconds that it has been at one batch. */
  handled(): { group: string; handlingMs: number }[];
  close(): Promise<void>;
}

/** One topic in memory: the newest value of each key, or the last events; its watchers and durable groups. */
export class InProcessTopic implements TopicOfProcess {
  private readonly kept = new Map<string, RawMessage>();
  private readonly watchers = new Set<(message: RawMessage) => void>();
  private readonly groups = new Map<string, InProcessGroup>();
  private readonly grouped: (() => void)[] = [];
  private offset = 0;

  constructor(
    private readonly isCompacted: boolean,
    private readonly mustBeRead: boolean,
    private readonly clock: BusClock,
    private readonly log: BusLog,
  ) {}

  /** Hands the messages to every watcher at once and resolves when every durable group has committed them. */
  async publish(entries: readonly RawEntry[], timestampMs: number): Promise<void> {
    if (this.mustBeRead) await this.hasGroup();
    const messages = entries.map(({ key, value }): RawMessage => {
      const offset = String(this.offset++);
      return { key, value, partition: 0, offset, timestampMs };
    });
    for (const message of messages) this.keep(message);
    for (const watcher of this.watchers) for (const message of messages) watcher(message);
    await Promise.all([...this.groups.values()].map((group) => group.deliver(messages)));
  }

  async watch(from: 'beginning' | 'end', watcher: (message: RawMessage) => void): Promise<() => void> {
    if (from === 'beginning') for (const message of this.kept.values()) watcher(message);
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  async start(groupName: string, handler: BatchHandler, batchMessagesMax?: number): Promise<() => Promise<void>> {
    const group = this.group(groupName);
    group.start(handler, batchMessagesMax);
    return () => group.stop();
  }

  /** @throws BusError `refused` while the group has a handler */
  async rewind(groupName: string, to: number | 'beginning'): Promise<void> {
    const group = this.group(groupName);
    group.rewind([...this.kept.values()], ({ timestampMs }) => to === 'beginning' || timestampMs >= to);
  }

  async lag(groupName: string): Promise<GroupLag> {
    return this.group(groupName).lag(this.clock.wallMs());
  }

  handled(): { group: string; handlingMs: number }[] {
    return handledOf(this.groups);
  }

  async close(): Promise<void> {
    this.watchers.clear();
    await Promise.all([...this.groups.values()].map((group) => group.close()));
  }

  /** Resolves once a durable group has been named; rejects never, for a closing bus rejects its publishers itself. */
  private hasGroup(): Promise<void> {
    if (this.groups.size > 0) return Promise.resolve();
    return new Promise((resolve) => this.grouped.push(resolve));
  }

  private group(name: string): InProcessGroup {
    const known = this.groups.get(name);
    if (known !== undefined) return known;
    const group = new InProcessGroup(name, this.clock, this.log);
    // Nobody waits for the commit of what was published before the group had a name.
    void group.deliver([...this.kept.values()]).catch(() => {});
    this.groups.set(name, group);
    for (const resolve of this.grouped.splice(0)) resolve();
    return group;
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

/** Those of the groups that have a handler. */
export function handledOf(
  groups: ReadonlyMap<string, { handlingMs(): number | undefined }>,
): { group: string; handlingMs: number }[] {
  return [...groups].flatMap(([group, each]) => {
    const handlingMs = each.handlingMs();
    return handlingMs === undefined ? [] : { group, handlingMs };
  });
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
