import { Body, Controller, Delete, Get, Inject, Param, Put } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { Name, PutCredentialForm, PutDiscoveredProvider, PutProvider, PutUpstreamAuth } from '@warder/contracts';
import { AdminError, parseBody } from '@warder/service-host';
import { isFormEntry } from '../kept/credential-form.js';
import { DiscoveredProviders } from '../discovery/discovered-providers.js';
import { ProviderSetups } from './provider-setups.js';
import { ProvidersStore, type ProviderView } from './providers.store.js';
import { UpstreamAuthsStore, type UpstreamAuthView } from './upstream-auths.store.js';

/** An entry of the catalogue, as whoever sets one up has to know it. */
interface EntryView {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly parameters: object;
  readonly quirks: readonly string[];
}

@Controller('admin/credentials')
export class ProvidersController {
  constructor(
    @Inject(ProvidersStore) private readonly store: ProvidersStore,
    @Inject(DiscoveredProviders) private readonly discovered: DiscoveredProviders,
    @Inject(ProviderSetups) private readonly setups: ProviderSetups,
    @Inject(UpstreamAuthsStore) private readonly auths: UpstreamAuthsStore,
  ) {}

  @Get('catalogue')
  @Roles('admin', 'auditor')
  catalogue(): { entries: EntryView[] } {
    const entries = this.setups.allEntries().map(({ id, title, description, parameters, quirks }) => {
      return { id, title, description, parameters, quirks };
    });
    return { entries };
  }

  @Get('providers')
  @Roles('admin', 'auditor')
  async list(): Promise<{ providers: ProviderView[] }> {
    return { providers: await this.store.list() };
  }

  @Put('providers/:id')
  @Roles('admin')
  put(@Param('id') id: string, @Body() body: unknown, @AdminCaller() by: AdminActor): Promise<ProviderView> {
    const name = nameOf(id, 'WDR_PROVIDER_UNKNOWN');
    const { entry } = (body ?? {}) as { entry?: unknown };
    if (isFormEntry(entry)) return this.store.putForm(name, parseBody(PutCredentialForm, body), by);
    if (entry === 'discovered') return this.discovered.put(name, parseBody(PutDiscoveredProvider, body), by);
    return this.store.put(name, parseBody(PutProvider, body), by);
  }

  @Delete('providers/:id')
  @Roles('admin')
  remove(@Param('id') id: string, @AdminCaller() by: AdminActor): Promise<ProviderView> {
    return this.store.remove(nameOf(id, 'WDR_PROVIDER_UNKNOWN'), by);
  }

  @Get('upstreams')
  @Roles('admin', 'auditor')
  async upstreams(): Promise<{ upstreams: UpstreamAuthView[] }> {
    return { upstreams: await this.auths.list() };
  }

  @Put('upstreams/:upstream')
  @Roles('admin')
  putUpstream(
    @Param('upstream') upstream: string,
    @Body() body: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<UpstreamAuthView> {
    return this.auths.put(nameOf(upstream, 'WDR_UPSTREAM_AUTH_UNKNOWN'), parseBody(PutUpstreamAuth, body), by);
  }

  @Delete('upstreams/:upstream')
  @Roles('admin')
  removeUpstream(@Param('upstream') upstream: string, @AdminCaller() by: AdminActor): Promise<UpstreamAuthView> {
    return this.auths.remove(nameOf(upstream, 'WDR_UPSTREAM_AUTH_UNKNOWN'), by);
  }
}

function nameOf(text: string, code: `WDR_${string}`): string {
  const name = Name.safeParse(text);
  if (!name.success) throw new AdminError(404, code, 'nothing can have this name');
  return name.data;
}
