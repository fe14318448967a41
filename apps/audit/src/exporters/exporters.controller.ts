import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { RewindExporter } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { QueryLog } from '../query-log.js';
import type { ExporterReport } from './exporter.js';
import { ExportersStore } from './exporters.store.js';

/** How the exporters are. Operators mend them, auditors rely on them; no record is shown here. Looking is on record. */
@Controller('admin/audit/exporters')
@Roles('admin', 'operator', 'auditor')
export class ExportersController {
  constructor(
    @Inject(ExportersStore) private readonly store: ExportersStore,
    @Inject(QueryLog) private readonly log: QueryLog,
  ) {}

  @Get()
  @Header('content-type', 'application/json; charset=utf-8')
  all(@AdminCaller() by: AdminActor): Promise<string> {
    return this.log.answer(by, 'exporter.list', {}, async () =>
      JSON.stringify({ exporters: await this.store.reports() }),
    );
  }

  @Post(':name/rewind')
  @Roles('admin', 'operator')
  @HttpCode(202)
  rewind(
    @Param('name') name: string,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<{ exporter: ExporterReport }> {
    return this.store.rewind(name, parseBody(RewindExporter, body), by);
  }
}
