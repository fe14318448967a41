import { Body, Controller, Delete, Get, Inject, Param, Put } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { Name, PROVIDER_SECRET, providerOfUpstream, providerUpstream, PutProviderCredential } from '@warder/contracts';
import { AdminError, parseBody } from '@warder/service-host';
import { type CredentialView, StaticCredentialsStore } from './static-credentials.store.js';

/** What is told of a guardrail provider's credential; never its value. */
interface ProviderCredentialView {
  readonly provider: string;
  readonly version: number;
  readonly status: CredentialView['status'];
  readonly changedAtMs: number;
}

/** Credentials of guardrail providers: stored and delivered as those of upstreams are. */
@Controller('admin/credentials/guardrail-providers')
export class ProviderCredentialsController {
  constructor(@Inject(StaticCredentialsStore) private readonly store: StaticCredentialsStore) {}

  @Get()
  @Roles('admin', 'auditor')
  async list(): Promise<{ credentials: readonly ProviderCredentialView[] }> {
    return { credentials: (await this.store.listOfProviders()).map(viewOf) };
  }

  @Put(':provider')
  @Roles('admin')
  async put(
    @Param('provider') provider: string,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<ProviderCredentialView> {
    const upstream = upstreamOf(provider);
    const { value } = parseBody(PutProviderCredential, body);
    return viewOf(await this.store.put(upstream, { kind: 'environment', name: PROVIDER_SECRET, value }, by));
  }

  @Delete(':provider')
  @Roles('admin')
  async revoke(@Param('provider') provider: string, @AdminCaller() by: AdminActor): Promise<ProviderCredentialView> {
    return viewOf(await this.store.revoke(upstreamOf(provider), by));
  }
}

function upstreamOf(text: string): string {
  const name = Name.safeParse(text);
  if (!name.success) throw new AdminError(404, 'WDR_CREDENTIAL_UNKNOWN', 'no provider can have this name');
  return providerUpstream(name.data);
}

function viewOf({ upstream, version, status, changedAtMs }: CredentialView): ProviderCredentialView {
  return { provider: providerOfUpstream(upstream) ?? upstream, version, status, changedAtMs };
}
