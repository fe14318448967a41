import { Controller, Get, HttpCode, Inject, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { Spread, type Spreading } from '../spread.js';
import { SigningKeysStore, type SigningKeyView } from './signing-keys.store.js';

/** The keys by which the authorization server signs. */
@Controller('admin/identity/signing-keys')
@Roles('admin')
export class SigningKeysController {
  constructor(
    @Inject(SigningKeysStore) private readonly keys: SigningKeysStore,
    @Inject(Spread) private readonly spread: Spread,
  ) {}

  @Get()
  @Roles('admin', 'operator', 'auditor')
  async list(): Promise<{ signingKeys: SigningKeyView[] }> {
    return { signingKeys: await this.keys.list() };
  }

  @Post('rotate')
  @HttpCode(200)
  rotate(@Query() query: unknown, @AdminCaller() by: AdminActor): Promise<Spreading<SigningKeyView>> {
    return this.spread.after(query, () => this.keys.rotate(by));
  }
}
