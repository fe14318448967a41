import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { IdentityPage, IssueOwnToken, type PrincipalState, RotateToken } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { Spread, type Spreading } from './spread.js';
import { TokenRotation } from './token-rotation.store.js';
import { type IssuedToken, TokensStore, type TokenView } from './tokens.store.js';

/** What anybody may do for themselves. */
@Controller('admin/identity/me')
@Roles('admin', 'operator', 'auditor', 'member')
export class MeController {
  constructor(
    @Inject(TokensStore) private readonly store: TokensStore,
    @Inject(TokenRotation) private readonly rotation: TokenRotation,
    @Inject(Spread) private readonly spread: Spread,
  ) {}

  @Get()
  who(@AdminCaller() by: AdminActor): { principal: PrincipalState; tokenId: string } {
    return { principal: by.principal, tokenId: by.token.id };
  }

  @Get('tokens')
  list(@Query() query: unknown, @AdminCaller() by: AdminActor): Promise<{ tokens: TokenView[]; next: string | null }> {
    return this.store.list(parseBody(IdentityPage, query), by.principal.id);
  }

  @Post('tokens')
  @Header('cache-control', 'no-store')
  issue(
    @Body() body: unknown,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<IssuedToken>> {
    const token = parseBody(IssueOwnToken, body);
    return this.spread.after(query, () => this.store.issue(by.principal.id, token, by));
  }

  @Post('tokens/:id/rotate')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  rotate(
    @Param('id') id: string,
    @Body() body: unknown,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<IssuedToken>> {
    const asked = parseBody(RotateToken, body ?? {});
    return this.spread.after(query, () => this.rotation.rotate(id, asked, by, by.principal.id));
  }

  @Delete('tokens/:id')
  revoke(
    @Param('id') id: string,
    @Query() query: unknown,
    @AdminCaller() by: AdminActor,
  ): Promise<Spreading<TokenView>> {
    return this.spread.after(query, () => this.store.revoke(id, by, by.principal.id));
  }
}
