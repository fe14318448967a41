import type { GroupLag } from '@warder/bus';
import type { Metrics } from '@warder/telemetry';

/** The metrics of all exporters, by their names. */
export class ExporterCounters {
  private readonly records;
  private readonly lagRecords;
  private readonly lagSeconds;

  constructor(metrics: Metrics) {
    const of = ['exporter'];
    this.records = metrics.counter('warder_exported_records_total', 'Records by exporter and what became of them', [
      ...of,
      'became',
    ]);
    this.lagRecords = metrics.gauge('warder_export_lag_records', 'Records that a receiver has not taken yet', of);
    this.lagSeconds = metrics.gauge('warder_export_lag_seconds', 'Age of the oldest record that waits', of);
  }

  add(exporter: string, became: 'exported' | 'dead-letter' | 'unreadable' | 'failed-attempt', count: number): void {
    this.records.inc({ exporter, became }, count);
  }

  lag(exporter: string, { records, ms }: GroupLag): void {
    this.lagRecords.set({ exporter }, records);
    this.lagSeconds.set({ exporter }, ms / 1_000);
  }
}
