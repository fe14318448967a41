import { Readable } from 'node:stream';
import { Controller, Get, Header, Inject, Param, Query, StreamableFile } from '@nestjs/common';
import { Roles } from '@warder/admin-access';
import { BundleQuery, CheckpointsQuery } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { CallStore } from './call.store.js';
import { CheckpointStore } from './checkpoint.store.js';
import { bundleLines, proofOf } from './evidence.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** What proves records to somebody who does not trust this store; for auditors only. */
@Controller('admin/audit')
@Roles('auditor')
export class EvidenceController {
  constructor(
    @Inject(CallStore) private readonly calls: CallStore,
    @Inject(CheckpointStore) private readonly checkpoints: CheckpointStore,
  ) {}

  @Get('checkpoints')
  @Header('content-type', JSON_TYPE)
  page(@Query() query: unknown): Promise<string> {
    return this.checkpoints.page(parseBody(CheckpointsQuery, query));
  }

  @Get('calls/:recordId/proof')
  @Header('content-type', JSON_TYPE)
  async proof(@Param('recordId') recordId: string): Promise<string> {
    return proofOf(await this.calls.call(recordId), this.checkpoints);
  }

  @Get('bundle')
  bundle(@Query() query: unknown): StreamableFile {
    const { from, to } = parseBody(BundleQuery, query);
    const lines = Readable.from(bundleLines(from, to, this.checkpoints), { objectMode: false });
    return new StreamableFile(lines, { type: 'application/x-ndjson' });
  }
}
