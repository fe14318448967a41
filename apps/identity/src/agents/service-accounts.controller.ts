import { Body, Controller, Delete, Get, Header, Inject, Param, Patch, Post, Put, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { ChangeServiceAccount, CreateServiceAccount, IdentityPage, IssueSecret, SetKeys } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { Spread, type Spreading } from '../spread.js';
import { ServiceAccountsStore, type ServiceAccountView } from './service-accounts.store.js';
import type { ServiceCredentialView } from './service-credential.js';
import { ServiceCredentialsStore } from './service-credentials.store.js';

/** Accounts of programs; their end is that of any principal, `principals/:id/offboard`. */
@Controller('admin/identity/service-accounts')
@Roles('admin')
export class ServiceAccountsController {
  constructor(
    @Inject(ServiceAccountsStore) private readonly accounts: ServiceAccountsStore,
    @Inject(ServiceCredentialsStore) private readonly credentials: ServiceCredentialsStore,
    @Inject(Spread) private readonly spread: Spread,
  ) {}

  @Get()
  @Roles('admin', 'auditor')
  list(@Query() query: unknown): Promise<{ serviceAccounts: ServiceAccountView[]; next: string | null }> {
    return this.accounts.list(parseBody(IdentityPage, query));
  }

  @Get(':id')
  @Roles('admin', 'auditor')
  async get(@Param('id') id: string): Promise<ServiceAccountView & { credentials: ServiceCredentialView[] }> {
    const account = await this.accounts.get(id);
    return { ...account, credentials: await this.credentials.list(id) };
  }

  @Post()
  create(
    @Body() body: unknown,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<ServiceAccountView>> {
    const account = parseBody(CreateServiceAccount, body);
    return this.spread.after(query, () => this.accounts.create(account, by));
  }

  @Patch(':id')
  change(
    @Param('id') id: string,
    @Body() body: unknown,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<ServiceAccountView>> {
    const change = parseBody(ChangeServiceAccount, body);
    return this.spread.after(query, () => this.accounts.change(id, change, by));
  }

  @Post(':id/secrets')
  @Header('cache-control', 'no-store')
  issueSecret(
    @Param('id') id: string,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<ServiceCredentialView & { secret: string }> {
    return this.credentials.issueSecret(id, parseBody(IssueSecret, body), by);
  }

  @Put(':id/keys')
  setKeys(
    @Param('id') id: string,
    @Body() body: unknown,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<ServiceCredentialView>> {
    const keys = parseBody(SetKeys, body);
    return this.spread.after(query, () => this.credentials.setKeys(id, keys, by));
  }

  @Delete(':id/credentials/:credential')
  endCredential(
    @Param('id') id: string,
    @Param('credential') credential: string,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<ServiceCredentialView>> {
    return this.spread.after(query, () => this.credentials.endOne(id, credential, by));
  }
}
