import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { ConnectShared, HandOverConnection } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { KeptCredentials } from '../kept/kept-credentials.js';
import { Consents } from './consents.js';
import { ConnectionsStore, type ConnectionView } from './connections.store.js';
import { TokenEndings } from './token-endings.store.js';

/** Anybody's connections, for administrators. */
@Controller('admin/credentials/connections')
@Roles('admin')
export class ConnectionsController {
  constructor(
    @Inject(ConnectionsStore) private readonly store: ConnectionsStore,
    @Inject(Consents) private readonly consents: Consents,
    @Inject(KeptCredentials) private readonly kept: KeptCredentials,
    @Inject(TokenEndings) private readonly endings: TokenEndings,
  ) {}

  @Get()
  @Roles('admin', 'auditor')
  async list(): Promise<{ connections: ConnectionView[] }> {
    return { connections: await this.store.list() };
  }

  @Get(':id')
  @Roles('admin', 'auditor')
  get(@Param('id') id: string): Promise<ConnectionView> {
    return this.store.get(id);
  }

  /** Connects our own client, with nobody's consent, or keeps what everybody shares. */
  @Post()
  connectShared(@Body() body: unknown, @AdminCaller() by: AdminActor): Promise<ConnectionView> {
    const asked = parseBody(ConnectShared, body);
    if (asked.kind === 'client_credentials') return this.consents.connectClient(asked.provider, by);
    return this.kept.keep({ ...asked, principalId: null }, by);
  }

  @Delete(':id')
  async disconnect(@Param('id') id: string, @AdminCaller() by: AdminActor): Promise<ConnectionView> {
    const view = await this.store.disconnect(id, by);
    this.endings.wake();
    return view;
  }

  @Post(':id/hand-over')
  @HttpCode(200)
  handOver(@Param('id') id: string, @Body() body: unknown, @AdminCaller() by: AdminActor): Promise<ConnectionView> {
    return this.store.handOver(id, parseBody(HandOverConnection, body).principalId, by);
  }
}

/** One's own, as the page shows them. */
@Controller('admin/credentials/me/connections')
@Roles('admin', 'operator', 'auditor', 'member')
export class OwnConnectionsController {
  constructor(
    @Inject(ConnectionsStore) private readonly store: ConnectionsStore,
    @Inject(TokenEndings) private readonly endings: TokenEndings,
  ) {}

  @Get()
  async list(@AdminCaller() by: AdminActor): Promise<{ connections: ConnectionView[] }> {
    return { connections: await this.store.list(by.principal.id) };
  }

  @Delete(':id')
  async disconnect(@Param('id') id: string, @AdminCaller() by: AdminActor): Promise<ConnectionView> {
    const view = await this.store.disconnect(id, by, by.principal.id);
    this.endings.wake();
    return view;
  }
}
