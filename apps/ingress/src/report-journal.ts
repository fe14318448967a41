import type { Journal } from '@warder/journal';
import type { Host } from '@warder/service-host';
import type { IngressConfig } from './ingress-config.js';

const LOOK_EVERY_MS = 1_000;

/** Tells how full and how well the journal is: as metrics, and as a degraded node before calls are refused. */
export function reportJournal(config: IngressConfig, host: Host, journal: Journal): void {
  const { sizeMaxBytes, degradedAtPercent } = config.journal;
  host.readiness('journal', () => {
    if (journal.isFailing()) return { degraded: 'the disk of the journal fails: calls are refused or not recorded' };
    const percent = (100 * journal.undeliveredBytes()) / sizeMaxBytes;
    if (percent < degradedAtPercent) return true;
    return { degraded: `the journal is ${Math.floor(percent)} % full of records that are not delivered` };
  });
  const { metrics } = host;
  const records = metrics.gauge('warder_journal_undelivered_records', 'Records not yet acknowledged');
  const waiting = metrics.gauge('warder_journal_undelivered_bytes', 'Bytes of records not yet acknowledged');
  const bytes = metrics.gauge('warder_journal_bytes', 'Bytes of the journal on disk');
  const oldest = metrics.gauge('warder_journal_oldest_seconds', 'Age of the oldest record not yet acknowledged');
  const damage = metrics.counter('warder_journal_damage_total', 'Bytes of the journal that could not be read');
  let damaged = 0;
  const look = (): void => {
    records.set(journal.undelivered());
    waiting.set(journal.undeliveredBytes());
    bytes.set(journal.sizeBytes());
    oldest.set(journal.oldestUndeliveredMs() / 1_000);
    const now = journal.damagedBytes();
    if (now > damaged) damage.inc(now - damaged);
    damaged = Math.max(damaged, now);
  };
  look();
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  host.onDrain('journal metrics', async () => clearInterval(timer));
}
