import { Readable } from 'node:stream';
import { Controller, Get, Inject, Query, StreamableFile } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { AuditExportQuery } from '@warder/contracts';
import { AdminError, parseBody } from '@warder/service-host';
import { CallPages } from './call-pages.store.js';
import { countedText, exportedPieces } from './export-stream.js';
import { QueryLog } from './query-log.js';

const EXPORTS_MAX = 4;
const TYPES = { ndjson: 'application/x-ndjson; charset=utf-8', csv: 'text/csv; charset=utf-8' } as const;

/** Hands out records in bulk. Each export is on record twice: before its first byte, and with its amount at its end. */
@Controller('admin/audit/export')
@Roles('auditor')
export class ExportController {
  private running = 0;

  constructor(
    @Inject(CallPages) private readonly pages: CallPages,
    @Inject(QueryLog) private readonly log: QueryLog,
  ) {}

  @Get()
  async export(@AdminCaller() by: AdminActor, @Query() asked: object): Promise<StreamableFile> {
    const query = await this.log.exportBegun(by, 'export', asked, () => parseBody(AuditExportQuery, asked));
    if (this.running >= EXPORTS_MAX) {
      throw new AdminError(503, 'WDR_EXPORT_BUSY', `${EXPORTS_MAX} exports are running already`);
    }
    this.running += 1;
    const { format, ...filters } = query;
    const pieces = exportedPieces(this.pages, { ...filters, limit: 1 }, format);
    const text = countedText(pieces, (amount) => {
      this.running -= 1;
      void this.log.exportEnded(by, 'export', asked, amount);
    });
    const stream = Readable.from(text, { objectMode: false });
    return new StreamableFile(stream, { type: TYPES[format], disposition: `attachment; filename="records.${format}"` });
  }
}
