import { Body, Controller, Delete, Get, Inject, Param, Put } from '@nestjs/common';
import { BUILT_INS } from '@warder/access';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { Name, PutStaticCredential } from '@warder/contracts';
import { AdminError, parseBody } from '@warder/service-host';
import { type CredentialView, StaticCredentialsStore } from './static-credentials.store.js';

@Controller('admin/credentials/static')
export class StaticCredentialsController {
  constructor(@Inject(StaticCredentialsStore) private readonly store: StaticCredentialsStore) {}

  @Get()
  @Roles('admin', 'auditor')
  async list(): Promise<{ credentials: readonly CredentialView[] }> {
    return { credentials: await this.store.list() };
  }

  @Put(':upstream')
  @Roles('admin')
  async put(
    @Param('upstream') upstream: string,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<CredentialView> {
    const name = upstreamOf(upstream);
    // A node presents a key of its own there: what is stored would never be used.
    if (BUILT_INS.has(name))
      throw new AdminError(409, 'WDR_UPSTREAM_BUILT_IN', `the upstream ${name} is built in and takes no credential`);
    return this.store.put(name, parseBody(PutStaticCredential, body), by);
  }

  @Delete(':upstream')
  @Roles('admin')
  async revoke(@Param('upstream') upstream: string, @AdminCaller() by: AdminActor): Promise<CredentialView> {
    return this.store.revoke(upstreamOf(upstream), by);
  }
}

function upstreamOf(text: string): string {
  const name = Name.safeParse(text);
  if (!name.success) throw new AdminError(404, 'WDR_CREDENTIAL_UNKNOWN', 'no upstream can have this name');
  return name.data;
}
