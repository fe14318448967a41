import type { RawMessage } from '@warder/bus';
import type { Metrics } from '@warder/telemetry';
import type { RecordSink } from './store-batch.js';
import { storeBatch } from './store-batch.js';

/** The part of a logger that ingest uses. */
export interface IngestLog {
  warn(fields: object, message: string): void;
}

/** Stores batches and counts what became of them. */
export class Ingest {
  private readonly records;
  private failures = 0;

  constructor(
    private readonly sink: RecordSink,
    private readonly log: IngestLog,
    metrics: Metrics,
  ) {
    this.records = metrics.counter('warder_audit_records_total', 'Audit records by what became of them', ['became']);
  }

  /** @throws whatever kept the batch out: the bus keeps it and sends it again */
  async take(batch: readonly RawMessage[]): Promise<void> {
    try {
      const { stored, known, quarantined } = await storeBatch(batch, this.sink);
      this.failures = 0;
      this.records.inc({ became: 'stored' }, stored);
      this.records.inc({ became: 'known' }, known);
      this.records.inc({ became: 'quarantined' }, quarantined);
      if (quarantined > 0) this.log.warn({ quarantined }, 'messages of the audit topic are no records');
    } catch (error) {
      // The bus retries every second or so; an outage is one line, not one for each retry.
      if (this.failures++ === 0)
        this.log.warn({ err: error }, 'audit records cannot be stored now; the topic keeps them');
      throw error;
    }
  }
}
