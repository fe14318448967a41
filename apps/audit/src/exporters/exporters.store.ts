import { BusError } from '@warder/bus';
import type { RewindExporter } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource } from 'typeorm';
import type { ExporterReport } from './exporter.js';
import type { Exporters } from './exporters.js';

/** The exporters at the admin door: what is done to them is recorded. */
export class ExportersStore {
  constructor(
    private readonly exporters: Exporters,
    private readonly source: DataSource,
    private readonly outbox: Outbox,
  ) {}

  reports(): Promise<ExporterReport[]> {
    return this.exporters.reports();
  }

  /**
   * Rewinds an exporter, and records who did it. The record waits for the rewind and is committed with it.
   * @throws AdminError 404 WDR_EXPORTER_UNKNOWN, 409 WDR_EXPORTER_BUSY, 503 WDR_BUS_UNAVAILABLE
   */
  async rewind(name: string, { to }: RewindExporter, by: AdminActor): Promise<{ exporter: ExporterReport }> {
    const exporter = this.exporters.find(name);
    if (exporter === undefined) throw new AdminError(404, 'WDR_EXPORTER_UNKNOWN', 'no exporter has this name');
    await this.source.transaction(async (manager) => {
      const action = { action: 'exporter.rewind', by, arguments: { exporter: name, to } };
      await this.outbox.recordAdminAction(manager, action);
      try {
        await exporter.rewind(to === 'beginning' ? to : Date.parse(to));
      } catch (error) {
        throw refusalOf(error);
      }
    });
    return { exporter: await exporter.report() };
  }
}

function refusalOf(error: unknown): unknown {
  if (!(error instanceof BusError)) return error;
  if (error.reason === 'refused')
    return new AdminError(
      409,
      'WDR_EXPORTER_BUSY',
      'another process reads for this exporter, and must be stopped first',
    );
  return new AdminError(503, 'WDR_BUS_UNAVAILABLE', 'the bus does not answer; nothing was rewound');
}
