import { Body, Controller, Get, Headers, Inject, Put, Res } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { type ActionRules, ChangeActions } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { etagOf, expectedVersionOf } from '../pack-version.js';
import { ActionsStore } from './actions.store.js';

/** The part of Fastify's reply that is used. */
interface Reply {
  header(name: string, value: string): unknown;
}

interface ActionsView {
  readonly version: number;
  readonly rules: ActionRules;
}

@Controller('admin/guardrails/actions')
export class ActionsController {
  constructor(@Inject(ActionsStore) private readonly store: ActionsStore) {}

  @Get()
  @Roles('admin', 'auditor')
  async read(@Res({ passthrough: true }) reply: Reply): Promise<ActionsView> {
    const { version, rules } = await this.store.read();
    reply.header('etag', etagOf(version));
    return { version, rules };
  }

  @Put()
  @Roles('admin')
  async change(
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ActionsView> {
    const expectedVersion = expectedVersionOf(ifMatch);
    const { version, rules } = await this.store.change({ ...parseBody(ChangeActions, body), expectedVersion, by });
    reply.header('etag', etagOf(version));
    return { version, rules };
  }
}
