import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { RawMessage } from '@warder/bus';
import { auditCheckpointTopic } from '@warder/contracts';
import type { Logger } from '@warder/telemetry';
import { CheckpointStore } from './checkpoint.store.js';
import { storeCheckpoints } from './checkpoint-ingest.js';
import { RecordStore } from './record.store.js';

export const CHECKPOINT_LOG = Symbol('log of the checkpoint consumer');

/** Takes signed heads of logs; their offset is committed when they are stored. */
@Controller()
export class AuditCheckpointConsumer {
  constructor(
    @Inject(CheckpointStore) private readonly store: CheckpointStore,
    @Inject(RecordStore) private readonly records: RecordStore,
    @Inject(CHECKPOINT_LOG) private readonly log: Logger,
  ) {}

  @EventPattern<Record<string, readonly RawMessage[]>>(auditCheckpointTopic.name)
  async take(@Payload() batch: readonly RawMessage[]): Promise<void> {
    const { store, records } = this;
    const refused = await storeCheckpoints(batch, {
      insert: (checkpoint, text) => store.insert(checkpoint, text),
      faultOf: (error) => records.faultOf(error),
      quarantine: (message, reason) => records.quarantine(message, reason, auditCheckpointTopic.name),
    });
    if (refused > 0) this.log.warn({ refused }, 'messages of the checkpoint topic are no checkpoints');
  }
}
