import { Controller, Get, Header, Inject, Param, Query } from '@nestjs/common';
import { Roles } from '@warder/admin-access';
import { AuditCallsQuery, QuarantineQuery, WhoUsedQuery } from '@warder/contracts';
import { type Clock, parseBody } from '@warder/service-host';
import { CallStore } from './call.store.js';

export const AUDIT_CLOCK = Symbol('clock of the audit service');
const JSON_TYPE = 'application/json; charset=utf-8';

/** What was recorded, for auditors only: arguments are more than an administrator needs. */
@Controller('admin/audit')
@Roles('auditor')
export class AuditController {
  constructor(
    @Inject(CallStore) private readonly store: CallStore,
    @Inject(AUDIT_CLOCK) private readonly clock: Clock,
  ) {}

  @Get('calls')
  @Header('content-type', JSON_TYPE)
  calls(@Query() query: unknown): Promise<string> {
    return this.store.calls(parseBody(AuditCallsQuery, query));
  }

  @Get('calls/:recordId')
  @Header('content-type', JSON_TYPE)
  call(@Param('recordId') recordId: string): Promise<string> {
    return this.store.call(recordId);
  }

  @Get('who-used')
  @Header('content-type', JSON_TYPE)
  whoUsed(@Query() query: unknown): Promise<string> {
    return this.store.whoUsed(parseBody(WhoUsedQuery, query), this.clock.wallMs());
  }

  @Get('quarantine')
  @Header('content-type', JSON_TYPE)
  quarantine(@Query() query: unknown): Promise<string> {
    return this.store.quarantine(parseBody(QuarantineQuery, query));
  }
}
