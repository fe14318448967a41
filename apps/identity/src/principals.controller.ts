import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { ChangePrincipal, CreatePrincipal, IdentityPage, type PrincipalState } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { type Offboarded, Offboarding } from './offboarding.store.js';
import { PrincipalsStore, type PrincipalView } from './principals.store.js';
import { Spread, type Spreading } from './spread.js';

@Controller('admin/identity')
@Roles('admin')
export class PrincipalsController {
  constructor(
    @Inject(PrincipalsStore) private readonly store: PrincipalsStore,
    @Inject(Offboarding) private readonly offboarding: Offboarding,
    @Inject(Spread) private readonly spread: Spread,
  ) {}

  @Get('principals')
  @Roles('admin', 'auditor')
  list(@Query() query: unknown): Promise<{ principals: PrincipalView[]; next: string | null }> {
    return this.store.list(parseBody(IdentityPage, query));
  }

  @Get('principals/:id')
  @Roles('admin', 'auditor')
  get(@Param('id') id: string): Promise<PrincipalView> {
    return this.store.get(id);
  }

  @Get('groups')
  @Roles('admin', 'auditor')
  async groups(): Promise<{ groups: { name: string; principals: number }[] }> {
    return { groups: await this.store.groups() };
  }

  @Post('principals')
  create(
    @Body() body: unknown,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<PrincipalState>> {
    const principal = parseBody(CreatePrincipal, body);
    return this.spread.after(query, () => this.store.create(principal, by));
  }

  @Patch('principals/:id')
  change(
    @Param('id') id: string,
    @Body() body: unknown,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<PrincipalState>> {
    const patch = parseBody(ChangePrincipal, body);
    return this.spread.after(query, () => this.store.patch(id, patch, by));
  }

  @Post('principals/:id/offboard')
  @HttpCode(200)
  offboard(
    @Param('id') id: string,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<Offboarded>> {
    return this.spread.after(query, () => this.offboarding.offboard(id, by));
  }

  /** The same act, in the form of HTTP's own. */
  @Delete('principals/:id')
  remove(
    @Param('id') id: string,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<PrincipalState>> {
    return this.spread.after(query, async () => {
      const { ended: _, ...principal } = await this.offboarding.offboard(id, by);
      return principal;
    });
  }
}
