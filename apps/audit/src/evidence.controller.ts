import { Controller, Get, Header, Inject, Param, Query, StreamableFile } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { BundleQuery, CheckpointsQuery } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { BulkExports } from './bulk-exports.js';
import { CallStore } from './call.store.js';
import { CheckpointStore } from './checkpoint.store.js';
import { bundlePieces } from './bundle.js';
import { proofOf } from './evidence.js';
import { QueryLog } from './query-log.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** What proves records to somebody who does not trust this store; for auditors only. Reading it is on record. */
@Controller('admin/audit')
@Roles('auditor')
export class EvidenceController {
  constructor(
    @Inject(CallStore) private readonly calls: CallStore,
    @Inject(CheckpointStore) private readonly checkpoints: CheckpointStore,
    @Inject(QueryLog) private readonly log: QueryLog,
    @Inject(BulkExports) private readonly bulk: BulkExports,
  ) {}

  @Get('checkpoints')
  @Header('content-type', JSON_TYPE)
  page(@AdminCaller() by: AdminActor, @Query() query: object): Promise<string> {
    return this.log.answer(by, 'checkpoint.list', query, () =>
      this.checkpoints.page(parseBody(CheckpointsQuery, query)),
    );
  }

  @Get('calls/:recordId/proof')
  @Header('content-type', JSON_TYPE)
  proof(@AdminCaller() by: AdminActor, @Param('recordId') recordId: string): Promise<string> {
    return this.log.answer(by, 'proof.read', { recordId }, async () =>
      proofOf(await this.calls.call(recordId), this.checkpoints),
    );
  }

  @Get('bundle')
  async bundle(@AdminCaller() by: AdminActor, @Query() asked: object): Promise<StreamableFile> {
    const { stream } = await this.bulk.open(
      { by, noun: 'bundle', asked },
      () => parseBody(BundleQuery, asked),
      ({ from, to }) => bundlePieces(from, to, this.checkpoints),
    );
    return new StreamableFile(stream, { type: 'application/x-ndjson' });
  }
}
