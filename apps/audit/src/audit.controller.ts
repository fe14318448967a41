import { Controller, Get, Header, Inject, Param, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { AuditCallsQuery, QuarantineQuery, WhoUsedQuery } from '@warder/contracts';
import { type Clock, parseBody } from '@warder/service-host';
import { CallStore } from './call.store.js';
import { QueryLog } from './query-log.js';

export const AUDIT_CLOCK = Symbol('clock of the audit service');
const JSON_TYPE = 'application/json; charset=utf-8';

/** What was recorded, for auditors only: arguments are more than an administrator needs. Every question is recorded. */
@Controller('admin/audit')
@Roles('auditor')
export class AuditController {
  constructor(
    @Inject(CallStore) private readonly store: CallStore,
    @Inject(QueryLog) private readonly log: QueryLog,
    @Inject(AUDIT_CLOCK) private readonly clock: Clock,
  ) {}

  @Get('calls')
  @Header('content-type', JSON_TYPE)
  calls(@AdminCaller() by: AdminActor, @Query() query: object): Promise<string> {
    return this.log.answer(by, 'call.list', query, () => this.store.calls(parseBody(AuditCallsQuery, query)));
  }

  @Get('calls/:recordId')
  @Header('content-type', JSON_TYPE)
  call(@AdminCaller() by: AdminActor, @Param('recordId') recordId: string): Promise<string> {
    return this.log.answer(by, 'call.read', { recordId }, () => this.store.call(recordId));
  }

  @Get('who-used')
  @Header('content-type', JSON_TYPE)
  whoUsed(@AdminCaller() by: AdminActor, @Query() query: object): Promise<string> {
    return this.log.answer(by, 'use.list', query, () =>
      this.store.whoUsed(parseBody(WhoUsedQuery, query), this.clock.wallMs()),
    );
  }

  @Get('quarantine')
  @Header('content-type', JSON_TYPE)
  quarantine(@AdminCaller() by: AdminActor, @Query() query: object): Promise<string> {
    return this.log.answer(by, 'quarantine.list', query, () =>
      this.store.quarantine(parseBody(QuarantineQuery, query)),
    );
  }
}
