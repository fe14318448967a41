import { createHash } from 'node:crypto';
import type { Bus, RawEntry, RawMessage } from '@warder/bus';
import { auditDeadLetterTopic, auditOcsfTopic, AuditRecord, auditRecordedTopic } from '@warder/contracts';
import { recordLeafOf } from '@warder/merkle-log';
import { jsonLine, ocsfEvent, parseRecord } from '@warder/siem-format';
import type { Metrics } from '@warder/telemetry';
import type { IngestLog } from './ingest.js';

/**
 * Bytes of events that are sent as one: below the topic's 1 MiB, for a broker measures the batch, and so that what is
 * mapped in one go keeps the loop for a few milliseconds only.
 */
const BATCH_BYTES_MAX = 524_288;
/** Bytes of one event: what the topic would refuse for its size would come again for ever. */
const EVENT_BYTES_MAX = 917_504;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What one message became. */
type Mapped = { readonly entry: RawEntry } | { readonly reason: string };

/**
 * Publishes each record as an OCSF event, keyed by the record's id. A message that is no record goes to the dead
 * letters with the reason; it never holds up the others.
 */
export class OcsfPublisher {
  private readonly records;
  private failures = 0;

  constructor(
    private readonly bus: Bus,
    private readonly wallMs: () => number,
    private readonly log: IngestLog,
    metrics: Metrics,
  ) {
    this.records = metrics.counter('warder_audit_ocsf_total', 'Audit records by what became of them as OCSF events', [
      'became',
    ]);
  }

  /**
   * Resolves once every event is acknowledged; only then may the offset of the batch be committed.
   * @throws BusError when the bus would not take one in time: the batch comes again, and so do its first events
   */
  async take(batch: readonly RawMessage[]): Promise<void> {
    try {
      await this.publish(batch);
      this.failures = 0;
    } catch (error) {
      // The bus retries every second or so; an outage is one line, not one for each retry.
      if (this.failures++ === 0)
        this.log.warn({ err: error }, 'OCSF events cannot be published now; the record topic keeps them');
      throw error;
    }
  }

  private async publish(batch: readonly RawMessage[]): Promise<void> {
    let entries: RawEntry[] = [];
    let bytes = 0;
    const send = async (): Promise<void> => {
      if (entries.length === 0) return;
      await this.bus.publishRaw(auditOcsfTopic, entries);
      this.records.inc({ became: 'published' }, entries.length);
      entries = [];
      bytes = 0;
    };
    for (const message of batch) {
      const mapped = mapMessage(message);
      if ('reason' in mapped) {
        await this.setAside(message, mapped.reason);
        continue;
      }
      if (bytes + mapped.entry.value.length > BATCH_BYTES_MAX) await send();
      entries.push(mapped.entry);
      bytes += mapped.entry.value.length;
    }
    await send();
  }

  private async setAside({ partition, offset, key, value }: RawMessage, reason: string): Promise<void> {
    const topic = auditRecordedTopic.name;
    const name = key ?? createHash('sha256').update(value).digest('hex');
    const letter = { topic, partition, offset, key, value: value.toString('base64'), reason, atMs: this.wallMs() };
    await this.bus.publish(auditDeadLetterTopic, name, letter);
    this.records.inc({ became: 'dead-lettered' });
    this.log.warn({ partition, offset }, 'a message of the audit topic has no OCSF event');
  }
}

/** The event of a message. The reason names places, never values. */
function mapMessage({ value }: RawMessage): Mapped {
  try {
    const record = parseRecord(utf8.decode(value));
    const read = AuditRecord.safeParse(record);
    if (!read.success) {
      const places = read.error.issues.slice(0, 5).map(({ path, code }) => `${path.map(String).join('.')}: ${code}`);
      return { reason: `no OCSF event: not an audit record: ${places.join(', ')}` };
    }
    const leafHash = recordLeafOf(value).toString('hex');
    const event = Buffer.from(jsonLine(ocsfEvent(read.data, { leafHash })));
    if (event.length > EVENT_BYTES_MAX) return { reason: `no OCSF event: ${event.length} bytes are too many` };
    return { entry: { key: record.recordId, value: event } };
  } catch (error) {
    return { reason: `no OCSF event: ${error instanceof Error ? error.name : 'it cannot be read'}` };
  }
}
