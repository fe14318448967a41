import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { IdentityTokenPage, IssueToken, RotateToken } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { Spread, type Spreading } from './spread.js';
import { TokenRotation } from './token-rotation.store.js';
import { type IssuedToken, TokensStore, type TokenView } from './tokens.store.js';

@Controller('admin/identity/tokens')
@Roles('admin')
export class TokensController {
  constructor(
    @Inject(TokensStore) private readonly store: TokensStore,
    @Inject(TokenRotation) private readonly rotation: TokenRotation,
    @Inject(Spread) private readonly spread: Spread,
  ) {}

  @Get()
  @Roles('admin', 'auditor')
  list(@Query() query: unknown): Promise<{ tokens: TokenView[]; next: string | null }> {
    const { principalId, ...page } = parseBody(IdentityTokenPage, query);
    return this.store.list(page, principalId);
  }

  @Post()
  @Header('cache-control', 'no-store')
  issue(
    @Body() body: unknown,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<IssuedToken>> {
    const { principalId, ...token } = parseBody(IssueToken, body);
    return this.spread.after(query, () => this.store.issue(principalId ?? by.principal.id, token, by));
  }

  /** Everybody may rotate their own, an administrator anybody's. */
  @Post(':id/rotate')
  @HttpCode(200)
  @Roles('admin', 'operator', 'auditor', 'member')
  @Header('cache-control', 'no-store')
  rotate(
    @Param('id') id: string,
    @Body() body: unknown,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<IssuedToken>> {
    const asked = parseBody(RotateToken, body ?? {});
    const ownerId = by.principal.roles.includes('admin') ? undefined : by.principal.id;
    return this.spread.after(query, () => this.rotation.rotate(id, asked, by, ownerId));
  }

  @Delete(':id')
  revoke(
    @Param('id') id: string,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<TokenView>> {
    return this.spread.after(query, () => this.store.revoke(id, by));
  }
}
