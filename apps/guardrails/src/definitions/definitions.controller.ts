import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { AcceptDefinitions, RejectDefinition } from '@warder/contracts';
import { AdminError, parseBody } from '@warder/service-host';
import { CustomRulesStore } from '../custom/custom-rules.store.js';
import { DryRun } from '../dry-run.js';
import { RulePacksStore } from '../rule-packs.store.js';
import { type ListedDefinition, listedView, type Lookers, toolView } from './definition-view.js';
import { DefinitionsStore } from './definitions.store.js';
import { ToolNames } from './shadowed-tools.js';

/** One upstream and how what it lists stands. */
interface UpstreamView {
  readonly upstream: string;
  readonly version: number;
  readonly listedAtMs: number;
  readonly tools: readonly ListedDefinition[];
}

/** What tools of upstreams say of themselves, and the word of administrators on it. */
@Controller('admin/guardrails/definitions')
export class DefinitionsController {
  constructor(
    @Inject(DefinitionsStore) private readonly store: DefinitionsStore,
    @Inject(RulePacksStore) private readonly packs: RulePacksStore,
    @Inject(DryRun) private readonly dryRun: DryRun,
    @Inject(CustomRulesStore) private readonly custom: CustomRulesStore,
  ) {}

  @Get()
  @Roles('admin', 'auditor')
  async list(): Promise<{ upstreams: { upstream: string; version: number; listedAtMs: number }[] }> {
    const upstreams = await this.store.upstreams();
    return {
      upstreams: upstreams.map(({ upstream, version, listedVersion }) => ({
        upstream,
        version,
        listedAtMs: Number(listedVersion),
      })),
    };
  }

  @Get(':upstream')
  @Roles('admin', 'auditor')
  read(@Param('upstream') upstream: string): Promise<UpstreamView> {
    return this.viewOf(upstream);
  }

  /** @throws AdminError 404 WDR_DEFINITION_UNKNOWN */
  @Get(':upstream/tool')
  @Roles('admin', 'auditor')
  async tool(@Param('upstream') upstream: string, @Query('name') name: unknown) {
    const rows = (await this.store.of(upstream)).filter(({ tool }) => tool === name);
    if (rows.length === 0) throw new AdminError(404, 'WDR_DEFINITION_UNKNOWN', `${upstream} never listed such a tool`);
    return { upstream, tool: rows[0]!.tool, ...toolView(rows) };
  }

  @Post(':upstream/accept')
  @HttpCode(200)
  @Roles('admin')
  async accept(
    @Param('upstream') upstream: string,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<UpstreamView> {
    await this.store.accept(upstream, parseBody(AcceptDefinitions, body), by);
    return this.viewOf(upstream);
  }

  @Post(':upstream/reject')
  @HttpCode(200)
  @Roles('admin')
  async reject(
    @Param('upstream') upstream: string,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<UpstreamView> {
    await this.store.reject(upstream, parseBody(RejectDefinition, body), by);
    return this.viewOf(upstream);
  }

  private async viewOf(upstream: string): Promise<UpstreamView> {
    const [found, rows] = await Promise.all([this.store.upstream(upstream), this.store.of(upstream)]);
    if (found === null) throw new AdminError(404, 'WDR_DEFINITION_UNKNOWN', `no tool of ${upstream} was ever listed`);
    const { version, listedVersion } = found;
    return {
      upstream,
      version,
      listedAtMs: Number(listedVersion),
      tools: listedView(upstream, rows, await this.lookers()),
    };
  }

  private async lookers(): Promise<Lookers> {
    const [packs, custom, names] = await Promise.all([this.packs.all(), this.custom.read(), this.store.listedNames()]);
    return { engine: this.dryRun.engineOf(packs, custom), names: new ToolNames(names) };
  }
}
