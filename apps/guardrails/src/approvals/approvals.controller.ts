import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { ApprovalsQuery, DecideApproval } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import type { ApprovalView } from './approval-view.js';
import { type ApprovalsPage, ApprovalsReader } from './approvals-reader.store.js';
import { ApprovalsStore } from './approvals.store.js';

/** Questions about held calls: everybody sees their own and those that they may decide, administrators and auditors all. */
@Controller('admin/guardrails/approvals')
@Roles('admin', 'operator', 'auditor', 'member')
export class ApprovalsController {
  constructor(
    @Inject(ApprovalsStore) private readonly store: ApprovalsStore,
    @Inject(ApprovalsReader) private readonly reader: ApprovalsReader,
  ) {}

  @Get()
  list(@AdminCaller() by: AdminActor, @Query() query: unknown): Promise<ApprovalsPage> {
    return this.reader.page(by.principal, parseBody(ApprovalsQuery, query));
  }

  @Get(':id')
  get(@Param('id') id: string, @AdminCaller() by: AdminActor): Promise<ApprovalView> {
    return this.reader.get(id, by.principal);
  }

  @Post(':id/decision')
  @HttpCode(200)
  decide(@Param('id') id: string, @Body() body: unknown, @AdminCaller() by: AdminActor): Promise<ApprovalView> {
    return this.store.decide(id, parseBody(DecideApproval, body), { by, isOnPage: false });
  }
}
