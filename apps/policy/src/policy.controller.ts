import { Body, Controller, Get, Headers, HttpCode, Inject, Post, Put, Query, Res } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { AppliedWait, ExplainRequest, type PolicyDocument } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { DiscoveredTools } from './discovered-tools.js';
import type { Explanation } from './explain.js';
import { Explainer } from './explainer.js';
import { etagOf, expectedVersionOf } from './if-match.js';
import { PolicyAdministration, type PolicyReplaced } from './policy-administration.js';
import { upstreamsView, virtualServersView } from './policy-views.js';

interface HeaderSetter {
  header(name: string, value: string): unknown;
}

@Controller('admin/policy')
@Roles('admin', 'auditor')
export class PolicyController {
  constructor(
    @Inject(PolicyAdministration) private readonly administration: PolicyAdministration,
    @Inject(DiscoveredTools) private readonly discovered: DiscoveredTools,
    @Inject(Explainer) private readonly explainer: Explainer,
  ) {}

  @Get()
  async read(
    @Res({ passthrough: true }) reply: HeaderSetter,
  ): Promise<{ version: number; origin: string; changedAtMs: number; document: PolicyDocument }> {
    const { version, origin, createdAtMs, document } = await this.administration.current();
    reply.header('etag', etagOf(version));
    return { version, origin, changedAtMs: createdAtMs, document };
  }

  @Put()
  @Roles('admin')
  async replace(
    @Body() body: unknown,
    @Headers('if-match') ifMatch: string | undefined,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
    @Res({ passthrough: true }) reply: HeaderSetter,
  ): Promise<PolicyReplaced> {
    const { wait } = parseBody(AppliedWait, query);
    const replaced = await this.administration.replace(body, () => expectedVersionOf(ifMatch), by, wait);
    reply.header('etag', etagOf(replaced.version));
    return replaced;
  }

  @Post('explain')
  @HttpCode(200)
  async explain(@Body() body: unknown): Promise<Explanation> {
    return this.explainer.explain(parseBody(ExplainRequest, body));
  }

  @Get('upstreams')
  async upstreams(): Promise<{ version: number; upstreams: ReturnType<typeof upstreamsView> }> {
    const { policy } = this.discovered.under(await this.administration.current());
    return { version: policy.version, upstreams: upstreamsView(policy, this.discovered.byUpstream()) };
  }

  @Get('virtual-servers')
  async virtualServers(): Promise<{ version: number; virtualServers: ReturnType<typeof virtualServersView> }> {
    const { policy, catalog } = this.discovered.under(await this.administration.current());
    return { version: policy.version, virtualServers: virtualServersView(policy, catalog) };
  }
}
