import { auditDeadLetterTopic, auditOcsfTopic, auditRecordedTopic } from '@warder/contracts';
import type { Host } from '@warder/service-host';
import { OcsfPublisher } from './ocsf-publisher.js';

const GROUP = 'ocsf';

/**
 * Fills the topic of OCSF events from the records, in a consumer group of its own, so that a store that is away does
 * not hold up a SIEM, nor the reverse. Only with a broker: within one process nobody could subscribe to the topic.
 */
export class OcsfTopic {
  constructor(
    private readonly host: Pick<Host, 'broker' | 'bus' | 'clock' | 'log' | 'metrics' | 'onDrain'>,
    private readonly isWanted: boolean,
  ) {}

  /** Nest calls it once everything is made. */
  async onApplicationBootstrap(): Promise<void> {
    const { bus, broker, clock, log, metrics } = this.host;
    if (broker === undefined || !this.isWanted) return;
    await bus.ensureTopics([auditRecordedTopic, auditOcsfTopic, auditDeadLetterTopic]);
    const publisher = new OcsfPublisher(bus, () => clock.wallMs(), log, metrics);
    const started = bus.batch(auditRecordedTopic, GROUP, (batch) => publisher.take(batch));
    this.host.onDrain('ocsf', async () => (await started).stop());
    await started;
  }
}
