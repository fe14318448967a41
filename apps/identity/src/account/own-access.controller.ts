import { Controller, Delete, Get, Inject, Param, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { GrantsStore, type GrantView } from '../authorization/grants.store.js';
import { Spread, type Spreading } from '../spread.js';
import { type SessionView, SessionsStore } from './sessions.store.js';

/** One's own browsers and programs, as the pages of the account show them. */
@Controller('admin/identity/me')
@Roles('admin', 'operator', 'auditor', 'member')
export class OwnAccessController {
  constructor(
    @Inject(SessionsStore) private readonly store: SessionsStore,
    @Inject(GrantsStore) private readonly grants: GrantsStore,
    @Inject(Spread) private readonly spread: Spread,
  ) {}

  @Get('sessions')
  async sessions(@AdminCaller() by: AdminActor): Promise<{ sessions: SessionView[] }> {
    return { sessions: await this.store.list(by.principal.id) };
  }

  /** Signs every browser out. */
  @Delete('sessions')
  async endSessions(@AdminCaller() by: AdminActor): Promise<{ ended: string[] }> {
    return { ended: await this.store.endOthers(by.principal.id, null, by) };
  }

  @Delete('sessions/:session')
  endSession(@Param('session') session: string, @AdminCaller() by: AdminActor): Promise<SessionView> {
    return this.store.end(by.principal.id, session, by);
  }

  @Get('clients')
  async clients(@AdminCaller() by: AdminActor): Promise<{ clients: GrantView[] }> {
    return { clients: await this.grants.list(by.principal.id) };
  }

  @Delete('clients/:grant')
  endClient(
    @Param('grant') grant: string,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<GrantView>> {
    return this.spread.after(query, () => this.grants.endOf(by.principal.id, grant, by));
  }
}
