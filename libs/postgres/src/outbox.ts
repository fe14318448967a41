import { type KeyObject, randomBytes } from 'node:crypto';
import type { Bus } from '@warder/bus';
import { auditCheckpointTopic, auditRecordedTopic, type Topic } from '@warder/contracts';
import type { EntityManager } from 'typeorm';
import { AdminCheckpoints, CHECKPOINT_EVERY_MS } from './admin-checkpoints.js';
import { type AdminAction, adminRecordOf } from './admin-record.js';
import { OUTBOX_CHANNEL } from './outbox-channel.js';
import { OutboxConnection } from './outbox-connection.js';
import { OutboxLane, type OutboxLog } from './outbox-lane.js';
import { recordIdOf } from './record-id.js';

/** What the outbox needs of its process. */
export interface OutboxHost {
  readonly node: string;
  readonly bus: Bus;
  readonly clock: { wallMs(): number };
  readonly log: OutboxLog;
  /** Ed25519, private: signs the heads of the log of admin acts; without one they are not signed. */
  readonly signingKey?: KeyObject | undefined;
}

/** At a stop, for records that are on their way, and for the checkpoint that names them. */
const LAST_SENT_MS = 750;

export interface OutboxOptions {
  /** The service, whose name is its schema's. */
  readonly service: string;
  readonly url: string;
  /** State topics that the service owns; admin records and checkpoints need not be named. */
  readonly topics: readonly Topic<unknown>[];
  /** Milliseconds between two signed heads of the log of admin acts; 10,000 unless said otherwise. */
  readonly checkpointEveryMs?: number;
}

/**
 * Changes on their way to the bus. A change's transaction writes the row, which makes the message's order per key
 * that of the row's lock; one process at a time, holding an advisory lock, publishes and deletes. What was committed
 * reaches the bus at least once, after any crash.
 */
export class Outbox {
  private readonly lanes: ReadonlyMap<string, OutboxLane>;
  private readonly connection: OutboxConnection;
  private readonly checkpoints: AdminCheckpoints;

  constructor(
    private readonly host: OutboxHost,
    private readonly options: OutboxOptions,
  ) {
    const wake = (topicName: string): void => this.lanes.get(topicName)?.wake();
    this.connection = new OutboxConnection(options.url, options.service, wake);
    // A lane per topic: a record that waits for the audit service must not hold up a revocation.
    const lanes = [...options.topics, auditRecordedTopic, auditCheckpointTopic].map((topic) => {
      const onPublished = topic === auditRecordedTopic ? (rows: number) => this.checkpoints.take(rows) : () => {};
      return [topic.name, new OutboxLane(topic, host.bus, this.connection, host.log, onPublished)] as const;
    });
    this.lanes = new Map(lanes);
    const terms = {
      origin: `admin/${options.service}`,
      privateKey: host.signingKey,
      everyMs: options.checkpointEveryMs ?? CHECKPOINT_EVERY_MS,
      wallMs: () => host.clock.wallMs(),
    };
    this.checkpoints = new AdminCheckpoints(terms, this.connection, host.log, () => wake(auditCheckpointTopic.name));
  }

  /**
   * Puts a message of the change into the change's transaction.
   * @throws Error when the topic is not the service's, the schema refuses the message, or it is too large
   */
  enqueue<M>(manager: EntityManager, topic: Topic<M>, key: string, message: M): Promise<void> {
    return this.enqueueAll(manager, topic, [{ key, message }]);
  }

  /** As `enqueue`, for many messages in one statement and in their order. */
  async enqueueAll<M>(
    manager: EntityManager,
    topic: Topic<M>,
    entries: readonly { readonly key: string; readonly message: M }[],
  ): Promise<void> {
    const values = entries.map(({ message }) => JSON.stringify(topic.schema.parse(message)));
    await this.put(
      manager,
      topic,
      entries.map(({ key }) => key),
      values,
    );
  }

  /** Puts the record of an admin act into the act's transaction, under the next number of its log. */
  async recordAdminAction(manager: EntityManager, action: AdminAction): Promise<void> {
    const { service } = this.options;
    const [{ last_sequence: sequence }] = (await manager.query(
      `WITH next AS (
        INSERT INTO admin_record_log AS log (log, last_sequence) VALUES ($1, 1)
        ON CONFLICT (log) DO UPDATE SET last_sequence = log.last_sequence + 1 RETURNING last_sequence
      ) SELECT last_sequence FROM next`,
      [`admin/${service}`],
    )) as [{ last_sequence: string }];
    const occurredAtMs = this.host.clock.wallMs();
    const recordId = recordIdOf(occurredAtMs, randomBytes);
    const salt = randomBytes(16).toString('base64url');
    const place = { service, node: this.host.node, sequence: Number(sequence), recordId, occurredAtMs, salt };
    // As it is: read by the schema and written again it might have other bytes than it commits to.
    await this.put(manager, auditRecordedTopic, [recordId], [JSON.stringify(adminRecordOf(action, place))]);
  }

  /** Begins to publish; waits for nothing and never gives up while the database or the bus is away. */
  start(): void {
    for (const lane of this.lanes.values()) lane.start();
    this.checkpoints.start();
  }

  /**
   * Resolves once this process is the publisher and everything that was committed for these topics has been published.
   * A service calls `bus.own` after it.
   */
  async drained(topics: readonly Topic<unknown>[] = this.options.topics): Promise<void> {
    await Promise.all(topics.map((topic) => this.lanes.get(topic.name)!.drained()));
  }

  /**
   * Signs what has left and ends after the batches that are under way, or within a few seconds; the rest stays for the next
   * start.
   */
  async stop(): Promise<void> {
    // Another process of the service is the publisher, or the database is away: then there is nothing to sign here.
    if (this.connection.isLive) {
      await within(LAST_SENT_MS, this.drained([auditRecordedTopic]));
      const isNew = await within(LAST_SENT_MS, this.checkpoints.stop());
      if (isNew === true) await within(LAST_SENT_MS, this.drained([auditCheckpointTopic]));
    } else {
      void this.checkpoints.stop();
    }
    await Promise.all([...this.lanes.values()].map((lane) => lane.stop()));
    await this.connection.close();
  }

  private async put<M>(
    manager: EntityManager,
    topic: Topic<M>,
    keys: readonly string[],
    values: readonly string[],
  ): Promise<void> {
    if (!this.lanes.has(topic.name)) throw new Error(`${this.options.service} publishes nothing on ${topic.name}`);
    const tooLarge = values.find((value) => Buffer.byteLength(value) > topic.messageBytesMax);
    if (tooLarge !== undefined) throw new Error(`a message is too large for ${topic.name}`);
    await manager.query(
      `INSERT INTO outbox (topic, key, value)
        SELECT $1, entry.key, entry.value FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS entry (key, value, place)
        ORDER BY entry.place`,
      [topic.name, keys, values],
    );
    // Delivered at commit, so the publisher learns of the change at once and never of one that was rolled back.
    await manager.query(`SELECT pg_notify('${OUTBOX_CHANNEL}', $1)`, [`${this.options.service} ${topic.name}`]);
  }
}

/** What the promise gives, or `undefined` where it takes longer. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}
