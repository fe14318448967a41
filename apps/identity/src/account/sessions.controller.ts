import { Controller, Delete, Get, HttpCode, Inject, Param } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { PrincipalsStore } from '../principals.store.js';
import { type SessionView, SessionsStore } from './sessions.store.js';

/** Browsers in which somebody is signed in: an administrator's view of anybody's. */
@Controller('admin/identity/principals/:id/sessions')
@Roles('admin')
export class SessionsController {
  constructor(
    @Inject(SessionsStore) private readonly sessions: SessionsStore,
    @Inject(PrincipalsStore) private readonly principals: PrincipalsStore,
  ) {}

  @Get()
  @Roles('admin', 'auditor')
  async list(@Param('id') id: string): Promise<{ sessions: SessionView[] }> {
    await this.principals.get(id);
    return { sessions: await this.sessions.list(id) };
  }

  @Delete(':session')
  @HttpCode(200)
  async end(
    @Param('id') id: string,
    @Param('session') session: string,
    @AdminCaller() by: AdminActor,
  ): Promise<SessionView> {
    await this.principals.get(id);
    return this.sessions.end(id, session, by);
  }
}
