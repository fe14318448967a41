import { Controller, Get, Inject, Query, StreamableFile } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { AuditExportQuery } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { BulkExports } from './bulk-exports.js';
import { CallPages } from './call-pages.store.js';
import { exportedPieces } from './export-stream.js';

const TYPES = { ndjson: 'application/x-ndjson; charset=utf-8', csv: 'text/csv; charset=utf-8' } as const;

/** Hands out records in bulk. Each export is on record twice: before its first byte, and with its amount at its end. */
@Controller('admin/audit/export')
@Roles('auditor')
export class ExportController {
  constructor(
    @Inject(CallPages) private readonly pages: CallPages,
    @Inject(BulkExports) private readonly bulk: BulkExports,
  ) {}

  @Get()
  async export(@AdminCaller() by: AdminActor, @Query() asked: object): Promise<StreamableFile> {
    const { query, stream } = await this.bulk.open(
      { by, noun: 'export', asked },
      () => parseBody(AuditExportQuery, asked),
      ({ format, ...filters }) => exportedPieces(this.pages, { ...filters, limit: 1 }, format),
    );
    const disposition = `attachment; filename="records.${query.format}"`;
    return new StreamableFile(stream, { type: TYPES[query.format], disposition });
  }
}
