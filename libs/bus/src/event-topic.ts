import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Topic } from '@warder/contracts';
import { untilItSucceeds } from './back-off.js';
import { type BusClock, BusError, type BusLog, type GroupLag, type RawEntry, type RawMessage } from './bus.js';
import { CursorFile } from './event-cursor.js';
import { EventGroup } from './event-group.js';
import { EventLog } from './event-log.js';
import { EventReader } from './event-reader.js';
import { type BatchHandler, handledOf, type TopicOfProcess } from './in-process-topic.js';

/** Where an in-process bus keeps events that must outlive the process, and how much of them. */
export interface EventBounds {
  readonly dir: string;
  /** Bytes of one topic. Past them what every group has read is removed first; then publishers are refused. */
  readonly topicBytesMax: number;
  /** Milliseconds for which a group that nobody handles keeps what it has not read. */
  readonly groupKeptMs: number;
}

/** What an `EventTopic` is made of. */
export interface EventTopicOptions {
  readonly bounds: EventBounds;
  /** Whether nothing may be removed before there is a group. */
  readonly mustBeRead: boolean;
  readonly clock: BusClock;
  readonly log: BusLog;
}

/** Events that a topic keeps for less than this are signals to who listens now; a disk would only delay them. */
const KEPT_LONG_MS = 3_600_000;
const SEGMENT_BYTES_MAX = 16_777_216;
/** Segments are the grain of removal, so a topic has several. */
const SEGMENTS_MIN = 8;
const EXPIRE_EVERY_MS = 60_000;
const CURSOR_SUFFIX = '.cursor';
const GROUP_NAME = /^[A-Za-z0-9._-]{1,128}$/;

/** Whether the topic's messages are events that wait for their readers. */
export function isKeptForReaders(topic: Topic<unknown>): boolean {
  const keptMs = retentionOf(topic);
  return topic.cleanup === 'delete' && (keptMs === null || keptMs >= KEPT_LONG_MS);
}

/** A negative time is Kafka's word for a topic that is kept for ever. */
function retentionOf({ retentionMs }: Topic<unknown>): number | null {
  return retentionMs === null || retentionMs < 0 ? null : retentionMs;
}

/** One topic in file segments, with its durable groups; opened at its first use. */
export class EventTopic implements TopicOfProcess {
  private readonly groups = new Map<string, EventGroup>();
  private readonly watching = new Set<AbortController>();
  private readonly expiring: NodeJS.Timeout;
  private readonly dir: string;
  private readonly opened: Promise<EventLog>;

  constructor(
    private readonly topic: Topic<unknown>,
    private readonly options: EventTopicOptions,
  ) {
    this.dir = join(options.bounds.dir, topic.name);
    this.opened = this.open();
    // Whoever uses the topic is told; nobody may.
    this.opened.catch(() => {});
    this.expiring = setInterval(() => void this.expire(), EXPIRE_EVERY_MS);
    this.expiring.unref();
  }

  async publish(entries: readonly RawEntry[], timestampMs: number): Promise<void> {
    await (await this.opened).append(entries, timestampMs);
  }

  async watch(from: 'beginning' | 'end', watcher: (message: RawMessage) => void): Promise<() => void> {
    const events = await this.opened;
    const stopping = new AbortController();
    this.watching.add(stopping);
    const reader = new EventReader(events, from === 'end' ? events.nextOffset : events.firstOffset);
    const warn = (error: unknown): void =>
      this.options.log.warn({ err: error, topic: this.topic.name }, 'events cannot be read, again');
    const read = async (): Promise<void> => {
      const messages = await reader.next();
      for (const message of messages) watcher(message);
      if (messages.length === 0) await events.grown(reader.nextOffset, stopping.signal);
    };
    const run = async (): Promise<void> => {
      while (await untilItSucceeds(read, stopping.signal, warn));
      await reader.close();
    };
    void run();
    return () => stopping.abort();
  }

  async start(groupName: string, handler: BatchHandler, batchMessagesMax?: number): Promise<() => Promise<void>> {
    const group = await this.group(groupName);
    group.start(handler, batchMessagesMax);
    return () => group.stop();
  }

  async rewind(groupName: string, to: number | 'beginning'): Promise<void> {
    await (await this.group(groupName)).rewind(to);
  }

  async lag(groupName: string): Promise<GroupLag> {
    return (await this.group(groupName)).lag();
  }

  handled(): { group: string; handlingMs: number }[] {
    return handledOf(this.groups);
  }

  /** Removes what is too old and has been read, and forgets groups that nobody has handled for too long. */
  async expire(): Promise<void> {
    const { log, bounds } = this.options;
    try {
      const events = await this.opened;
      for (const group of this.groups.values()) {
        group.noteHandled();
        if (!group.isForgotten(bounds.groupKeptMs)) continue;
        this.groups.delete(group.name);
        await group.forget();
        log.warn({ topic: this.topic.name, group: group.name }, 'a group that nobody handles is forgotten');
      }
      await events.expire();
    } catch (error) {
      log.error({ err: error, topic: this.topic.name }, 'old events could not be removed');
    }
  }

  async close(): Promise<void> {
    clearInterval(this.expiring);
    for (const stopping of this.watching) stopping.abort();
    const events = await this.opened.catch(() => undefined);
    await Promise.all([...this.groups.values()].map((group) => group.stop()));
    await events?.close();
  }

  private async open(): Promise<EventLog> {
    const { bounds, clock, log } = this.options;
    const files = await readdir(this.dir).catch(() => []);
    const names = files
      .filter((file) => file.endsWith(CURSOR_SUFFIX))
      .map((file) => file.slice(0, -CURSOR_SUFFIX.length));
    const cursors = await Promise.all(names.map(async (name) => ({ name, cursor: await this.fileOf(name).read() })));
    const offsets = cursors.map(({ cursor }) => (typeof cursor === 'object' ? cursor.offset : 0));
    const { name } = this.topic;
    const events = await EventLog.open({
      name,
      retentionMs: retentionOf(this.topic),
      dir: this.dir,
      clock,
      log,
      bytesMax: bounds.topicBytesMax,
      segmentBytesMax: Math.min(SEGMENT_BYTES_MAX, Math.floor(bounds.topicBytesMax / SEGMENTS_MIN)),
      unread: () => this.unread(events),
      nextOffsetMin: Math.max(0, ...offsets),
    });
    for (const { name: group, cursor } of cursors) {
      if (typeof cursor === 'object') this.add(events, group, cursor);
      else log.warn({ topic: name, group }, 'the cursor of a group cannot be read, it begins at the beginning');
    }
    return events;
  }

  /** A new group begins at the beginning of what is kept, as a group of Kafka's does here. */
  private async group(name: string): Promise<EventGroup> {
    if (!GROUP_NAME.test(name)) throw new BusError('refused', `a group cannot be named ${name}`);
    const events = await this.opened;
    const handledAtMs = this.options.clock.wallMs();
    return this.groups.get(name) ?? this.add(events, name, { offset: events.firstOffset, handledAtMs });
  }

  private add(events: EventLog, name: string, at: { offset: number; handledAtMs: number }): EventGroup {
    const { clock, log } = this.options;
    const group = new EventGroup(name, { topicName: this.topic.name, events, clock, log }, this.fileOf(name), at);
    this.groups.set(name, group);
    return group;
  }

  private fileOf(group: string): CursorFile {
    return new CursorFile(join(this.dir, group + CURSOR_SUFFIX), (error) =>
      this.options.log.error(
        { err: error, topic: this.topic.name, group },
        'the cursor of a group could not be written',
      ),
    );
  }

  private unread(events: EventLog): { offset: number; by: string } {
    if (this.groups.size === 0 && this.options.mustBeRead) return { offset: events.firstOffset, by: 'nobody yet' };
    let slowest = { offset: events.nextOffset, by: 'nobody' };
    for (const { name, offset } of this.groups.values()) if (offset < slowest.offset) slowest = { offset, by: name };
    return slowest;
  }
}
