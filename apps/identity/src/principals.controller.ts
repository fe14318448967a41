import { Body, Controller, Delete, Get, Inject, Param, Patch, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { ChangePrincipal, CreatePrincipal, IdentityPage, type PrincipalState } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { PrincipalsStore } from './principals.store.js';

@Controller('admin/identity')
@Roles('admin')
export class PrincipalsController {
  constructor(@Inject(PrincipalsStore) private readonly store: PrincipalsStore) {}

  @Get('principals')
  @Roles('admin', 'auditor')
  list(@Query() query: unknown): Promise<{ principals: PrincipalState[]; next: string | null }> {
    return this.store.list(parseBody(IdentityPage, query));
  }

  @Get('principals/:id')
  @Roles('admin', 'auditor')
  get(@Param('id') id: string): Promise<PrincipalState> {
    return this.store.get(id);
  }

  @Get('groups')
  @Roles('admin', 'auditor')
  async groups(): Promise<{ groups: { name: string; principals: number }[] }> {
    return { groups: await this.store.groups() };
  }

  @Post('principals')
  create(@Body() body: unknown, @AdminCaller() by: AdminActor): Promise<PrincipalState> {
    return this.store.create(parseBody(CreatePrincipal, body), by);
  }

  @Patch('principals/:id')
  change(@Param('id') id: string, @Body() body: unknown, @AdminCaller() by: AdminActor): Promise<PrincipalState> {
    return this.store.patch(id, parseBody(ChangePrincipal, body), by);
  }

  @Delete('principals/:id')
  remove(@Param('id') id: string, @AdminCaller() by: AdminActor): Promise<PrincipalState> {
    return this.store.remove(id, by);
  }
}
