import { Body, Controller, Delete, Get, Header, Inject, Param, Post, Query } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { IdentityPage, IssueOwnToken, type PrincipalState } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import { type IssuedToken, TokensStore, type TokenView } from './tokens.store.js';

/** What anybody may do for themselves. */
@Controller('admin/identity/me')
@Roles('admin', 'operator', 'auditor', 'member')
export class MeController {
  constructor(@Inject(TokensStore) private readonly store: TokensStore) {}

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
  issue(@Body() body: unknown, @AdminCaller() by: AdminActor): Promise<IssuedToken> {
    return this.store.issue(by.principal.id, parseBody(IssueOwnToken, body), by);
  }

  @Delete('tokens/:id')
  revoke(@Param('id') id: string, @AdminCaller() by: AdminActor): Promise<TokenView> {
    return this.store.revoke(id, by, by.principal.id);
  }
}
