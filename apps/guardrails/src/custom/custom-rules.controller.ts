import { Body, Controller, Get, Headers, Inject, Put, Res } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { ChangeCustomRules, type CustomRules } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { etagOf, expectedVersionOf } from '../pack-version.js';
import type { CustomRulesRow } from './custom-rules.entity.js';
import { CustomRulesStore } from './custom-rules.store.js';
import { ExactLists, type ExactListView, viewOfLists } from './exact-lists.js';
import { RuleTrials } from './rule-trials.js';

/** The part of Fastify's reply that is used. */
interface Reply {
  header(name: string, value: string): unknown;
}

interface CustomRulesView extends Omit<CustomRules, 'exact'> {
  readonly version: number;
  readonly exact: readonly ExactListView[];
}

const viewOf = ({ version, rules }: Pick<CustomRulesRow, 'version' | 'rules'>): CustomRulesView => ({
  version,
  ...rules,
  exact: viewOfLists(rules.exact),
});

@Controller('admin/guardrails/custom')
export class CustomRulesController {
  constructor(
    @Inject(CustomRulesStore) private readonly store: CustomRulesStore,
    @Inject(RuleTrials) private readonly trials: RuleTrials,
    @Inject(ExactLists) private readonly lists: ExactLists,
  ) {}

  @Get()
  @Roles('admin', 'auditor')
  async read(@Res({ passthrough: true }) reply: Reply): Promise<CustomRulesView> {
    const found = await this.store.read();
    reply.header('etag', etagOf(found.version));
    return viewOf(found);
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
    const asked = parseBody(ChangeCustomRules, body);
    const { rules: inForce } = await this.store.read();
    const rules = this.lists.hashed(asked, inForce);
    await this.trials.ensureAcceptable(rules, inForce);
    const changed = await this.store.change({ rules, expectedVersion, by });
    reply.header('etag', etagOf(changed.version));
    return viewOf(changed);
  }
}
