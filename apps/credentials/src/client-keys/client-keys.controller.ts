import { Body, Controller, Get, HttpCode, Inject, Post } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { TurnClientKeys } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { ClientKeys, type ClientKeysView } from './client-keys.js';

/** The keys with which the gateway proves itself at providers; their public half is at `/connections/jwks.json`. */
@Controller('admin/credentials/client-keys')
@Roles('admin')
export class ClientKeysController {
  constructor(@Inject(ClientKeys) private readonly keys: ClientKeys) {}

  @Get()
  @Roles('admin', 'auditor')
  view(): Promise<ClientKeysView> {
    return this.keys.view();
  }

  @Post('turn')
  @HttpCode(200)
  turn(@Body() body: unknown, @AdminCaller() by: AdminActor): Promise<ClientKeysView> {
    return this.keys.turn(by, parseBody(TurnClientKeys, body).isAtOnce);
  }
}
