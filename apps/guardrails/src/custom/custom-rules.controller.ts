import { Body, Controller, Get, Headers, Inject, Put, Res } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { ChangeCustomRules, type CustomRules } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { etagOf, expectedVersionOf } from '../pack-version.js';
import { CustomRulesStore } from './custom-rules.store.js';
import { RuleTrials } from './rule-trials.js';

/** The part of Fastify's reply that is used. */
interface Reply {
  header(name: string, value: string): unknown;
}

interface CustomRulesView extends CustomRules {
  readonly version: number;
}

@Controller('admin/guardrails/custom')
export class CustomRulesController {
  constructor(
    @Inject(CustomRulesStore) private readonly store: CustomRulesStore,
    @Inject(RuleTrials) private readonly trials: RuleTrials,
  ) {}

  @Get()
  @Roles('admin', 'auditor')
  async read(@Res({ passthrough: true }) reply: Reply): Promise<CustomRulesView> {
    const { version, rules } = await this.store.read();
    reply.header('etag', etagOf(version));
    return { version, ...rules };
  }

  @Put()
  @Roles('admin')
  async change(
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<CustomRulesView> {
    const expectedVersion = expectedVersionOf(ifMatch);
    const asked = { ...parseBody(ChangeCustomRules, body), exact: [] };
    await this.trials.ensureAcceptable(asked, (await this.store.read()).rules);
    const { version, rules } = await this.store.change({ rules: asked, expectedVersion, by });
    reply.header('etag', etagOf(version));
    return { version, ...rules };
  }
}
