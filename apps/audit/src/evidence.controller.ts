import { Readable } from 'node:stream';
import { Controller, Get, Header, Inject, Param, Query, StreamableFile } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { BundleQuery, CheckpointsQuery } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { CallStore } from './call.store.js';
import { CheckpointStore } from './checkpoint.store.js';
import { bundlePieces, proofOf } from './evidence.js';
import { countedText } from './export-stream.js';
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
    const { from, to } = await this.log.exportBegun(by, 'bundle', asked, () => parseBody(BundleQuery, asked));
    const text = countedText(bundlePieces(from, to, this.checkpoints), (amount) => {
      void this.log.exportEnded(by, 'bundle', asked, amount);
    });
    return new StreamableFile(Readable.from(text, { objectMode: false }), { type: 'application/x-ndjson' });
  }
}
