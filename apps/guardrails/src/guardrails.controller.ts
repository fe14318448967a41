import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Put, Res } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { ChangeRulePack, CheckGuardrails } from '@warder/contracts';
import type { Screening } from '@warder/detectors';
import { parseBody } from '@warder/service-host';
import { CustomRulesStore } from './custom/custom-rules.store.js';
import { DryRun } from './dry-run.js';
import { etagOf, expectedVersionOf } from './pack-version.js';
import { knownDetectors, type RulePackView, viewOf } from './rule-pack-view.js';
import { RulePacksStore } from './rule-packs.store.js';

/** The part of Fastify's reply that is used. */
interface Reply {
  header(name: string, value: string): unknown;
}

@Controller('admin/guardrails')
export class GuardrailsController {
  constructor(
    @Inject(RulePacksStore) private readonly store: RulePacksStore,
    @Inject(DryRun) private readonly dryRun: DryRun,
    @Inject(CustomRulesStore) private readonly custom: CustomRulesStore,
  ) {}

  @Get('packs')
  @Roles('admin', 'auditor')
  async list(): Promise<{ packs: RulePackView[] }> {
    return { packs: (await this.store.all()).map(viewOf) };
  }

  @Get('packs/:pack')
  @Roles('admin', 'auditor')
  async read(@Param('pack') pack: string, @Res({ passthrough: true }) reply: Reply): Promise<RulePackView> {
    const found = await this.store.one(pack);
    reply.header('etag', etagOf(found.version));
    return viewOf(found);
  }

  @Put('packs/:pack')
  @Roles('admin')
  async change(
    @Param('pack') pack: string,
    @Headers('if-match') ifMatch: string | undefined,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<RulePackView> {
    await this.store.one(pack);
    const expectedVersion = expectedVersionOf(ifMatch);
    const detectors = knownDetectors(pack, parseBody(ChangeRulePack, body).detectors);
    const changed = await this.store.change({ pack, detectors, expectedVersion, by });
    reply.header('etag', etagOf(changed.version));
    return viewOf(changed);
  }

  /** Nothing of the value is kept; it is not even a change, and so no record either. */
  @Post('check')
  @HttpCode(200)
  @Roles('admin', 'auditor')
  async check(@Body() body: unknown): Promise<Screening> {
    const request = parseBody(CheckGuardrails, body);
    return this.dryRun.check(request, await this.store.all(), await this.custom.read());
  }
}
