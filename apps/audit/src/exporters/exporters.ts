import { auditExportDeadLetterTopic, auditRecordedTopic } from '@warder/contracts';
import type { Metrics } from '@warder/telemetry';
import { ExporterCounters } from './exporter-counters.js';
import { Exporter, type ExporterHost, type ExporterReport } from './exporter.js';
import type { ExportersSettings } from './exporters-settings.js';
import { makeDestination } from './make-destination.js';

const MEASURE_EVERY_MS = 10_000;

/** All exporters of the process, by name. */
export class Exporters {
  private readonly exporters: ReadonlyMap<string, Exporter>;
  private measuring: NodeJS.Timeout | undefined;
  private isMeasuring = false;

  constructor(
    settings: ExportersSettings,
    private readonly host: ExporterHost & { readonly node: string; readonly metrics: Metrics },
  ) {
    const counters = new ExporterCounters(host.metrics);
    const entries = Object.entries(settings).map(([name, one]) => {
      const destination = makeDestination(one, { ...host, name, format: one.format });
      return [name, new Exporter(name, one, destination, host, counters)] as const;
    });
    this.exporters = new Map(entries);
  }

  /** Begins to read for every exporter; a receiver that is away delays nobody's start. */
  async start(): Promise<void> {
    if (this.exporters.size === 0) return;
    await this.host.bus.ensureTopics([auditRecordedTopic, auditExportDeadLetterTopic]);
    await Promise.all(this.all().map((exporter) => exporter.start()));
    this.measuring = setInterval(() => void this.measure(), MEASURE_EVERY_MS);
    this.measuring.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.measuring);
    await Promise.all(this.all().map((exporter) => exporter.stop()));
  }

  find(name: string): Exporter | undefined {
    return this.exporters.get(name);
  }

  reports(): Promise<ExporterReport[]> {
    return Promise.all(this.all().map((exporter) => exporter.report()));
  }

  private all(): Exporter[] {
    return [...this.exporters.values()];
  }

  private async measure(): Promise<void> {
    if (this.isMeasuring) return;
    this.isMeasuring = true;
    await Promise.all(this.all().map((exporter) => exporter.lag()));
    this.isMeasuring = false;
  }
}
