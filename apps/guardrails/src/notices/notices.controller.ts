import { Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { NoticeDesk } from './notice-desk.store.js';
import type { DeadLetter, WebhookReport } from './notice-rows.js';

/** Receivers of notices about approvals. No body of a notice is shown here. */
@Controller('admin/guardrails/approval-webhooks')
@Roles('admin', 'operator', 'auditor')
export class NoticesController {
  constructor(@Inject(NoticeDesk) private readonly desk: NoticeDesk) {}

  @Get()
  async all(): Promise<{ webhooks: WebhookReport[] }> {
    return { webhooks: await this.desk.reports() };
  }

  @Get(':name/dead-letters')
  async deadLetters(
    @Param('name') name: string,
    @Query('before') before: string | undefined,
  ): Promise<{ deadLetters: DeadLetter[] }> {
    return { deadLetters: await this.desk.deadLetters(name, before) };
  }

  @Post(':name/dead-letters/:id/retry')
  @Roles('admin', 'operator')
  @HttpCode(202)
  retry(@Param('name') name: string, @Param('id') id: string, @AdminCaller() by: AdminActor): Promise<DeadLetter> {
    return this.desk.retry(name, id, by);
  }

  @Post(':name/test')
  @Roles('admin', 'operator')
  @HttpCode(202)
  async test(@Param('name') name: string, @AdminCaller() by: AdminActor): Promise<{ webhook: string }> {
    await this.desk.test(name, by);
    return { webhook: name };
  }
}
