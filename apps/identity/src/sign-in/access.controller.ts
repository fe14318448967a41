import { Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import type { PrincipalState } from '@warder/contracts';
import { AdminError } from '@warder/service-host';
import { GrantsStore, type GrantView } from '../authorization/grants.store.js';
import { principalStateOf } from '../principal.entity.js';
import { PrincipalsStore } from '../principals.store.js';
import { Spread, type Spreading } from '../spread.js';
import { type PasswordLink, PasswordsStore } from './passwords.store.js';
import { PeopleStore } from './people.store.js';

/** How people come in, and what they let act for them: an administrator's view of anybody's. */
@Controller('admin/identity/principals/:id')
@Roles('admin')
export class AccessController {
  constructor(
    @Inject(PasswordsStore) private readonly passwords: PasswordsStore,
    @Inject(PeopleStore) private readonly people: PeopleStore,
    @Inject(GrantsStore) private readonly grants: GrantsStore,
    @Inject(Spread) private readonly spread: Spread,
    @Inject(PrincipalsStore) private readonly principals: PrincipalsStore,
  ) {}

  /** A link by which the principal chooses a password, once and within a day. */
  @Post('password-link')
  @Header('cache-control', 'no-store')
  passwordLink(@Param('id') id: string, @AdminCaller() by: AdminActor): Promise<PasswordLink> {
    return this.passwords.link(id, by);
  }

  /** Ends every session and client of the principal; it may sign in again, and its personal tokens stay. */
  @Post('sign-out')
  @HttpCode(200)
  signOut(
    @Param('id') id: string,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<PrincipalState>> {
    return this.spread.after(query, async () => {
      const row = await this.people.signOut(id, by, { why: 'administrator' });
      if (row === undefined) throw new AdminError(404, 'WDR_PRINCIPAL_UNKNOWN', 'no principal has this id');
      return principalStateOf(row);
    });
  }

  @Get('clients')
  @Roles('admin', 'auditor')
  async clients(@Param('id') id: string): Promise<{ clients: GrantView[] }> {
    await this.principals.get(id);
    return { clients: await this.grants.list(id) };
  }

  /** Ends what the principal allowed one client. */
  @Delete('clients/:grant')
  endClient(
    @Param('id') id: string,
    @Param('grant') grant: string,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<GrantView>> {
    return this.spread.after(query, () => this.grants.endOf(id, grant, by));
  }
}
