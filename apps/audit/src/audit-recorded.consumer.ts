import { Controller, Inject } from '@nestjs/common';
import { type CustomTransportStrategy, EventPattern, Payload, Server } from '@nestjs/microservices';
import type { BatchBounds, Bus, RawMessage, Subscription } from '@warder/bus';
import { auditRecordedTopic, type Topic } from '@warder/contracts';
import { Ingest } from './ingest.js';

/**
 * What is handled at once when the service is behind. Partitions come together, so that one transaction stores what
 * several of them hold and the next one is read meanwhile.
 */
const BOUNDS: BatchBounds = { messagesMax: 1_536, partitionsAtOnce: 6 };

/** Takes audit records, a batch at a time; its offset is committed when the handler has ended. */
@Controller()
export class AuditRecordedConsumer {
  constructor(@Inject(Ingest) private readonly ingest: Ingest) {}

  @EventPattern<Record<string, readonly RawMessage[]>>(auditRecordedTopic.name)
  async record(@Payload() batch: readonly RawMessage[]): Promise<void> {
    await this.ingest.take(batch);
  }
}

/**
 * Nest's transport of batches. Nest's own Kafka server takes one message at a time, and one database statement for
 * each costs forty times as much; this one hands a handler what the bus fetched, on either bus.
 */
export class BusBatchStrategy extends Server implements CustomTransportStrategy {
  private readonly subscriptions: Subscription[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly topics: readonly Topic<unknown>[],
    private readonly group: string,
  ) {
    super();
  }

  /** Subscribes every handler whose pattern is the name of one of the topics. */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      await this.subscribe();
    } catch (error) {
      callback(error);
      return;
    }
    callback();
  }

  async close(): Promise<void> {
    await Promise.all(this.subscriptions.splice(0).map((subscription) => subscription.stop()));
  }

  on(): never {
    throw new Error('the transport of batches has no events');
  }

  unwrap<T>(): T {
    return this.bus as T;
  }

  private async subscribe(): Promise<void> {
    for (const topic of this.topics) {
      const handler = this.getHandlerByPattern(topic.name);
      if (handler === null) continue;
      this.subscriptions.push(
        await this.bus.batch(
          topic,
          this.group,
          async (batch) => {
            await handler(batch);
          },
          BOUNDS,
        ),
      );
    }
  }
}
