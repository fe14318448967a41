import { Body, Controller, Get, HttpCode, Inject, Param, Post } from '@nestjs/common';
import { type AdminActor, AdminCaller, Roles } from '@warder/admin-access';
import { PlaceLegalHold, RequestErasure } from '@warder/contracts';
import { parseBody } from '@warder/service-host';
import type { ArchiveStore } from './archive.store.js';
import { type Erasure, ErasureStore } from './erasure.store.js';
import { KeepingLoop } from './keeping-loop.js';
import { type LegalHold, LegalHoldStore } from './legal-hold.store.js';

/** The archive, or null where none is configured. */
export const ARCHIVE = Symbol('archive');

/** How long records are kept: what is archived, what must stay, whose bytes have to go. */
@Controller('admin/audit')
export class KeepingController {
  constructor(
    @Inject(LegalHoldStore) private readonly holds: LegalHoldStore,
    @Inject(ErasureStore) private readonly erasures: ErasureStore,
    @Inject(KeepingLoop) private readonly loop: KeepingLoop,
    @Inject(ARCHIVE) private readonly archive: ArchiveStore | null,
  ) {}

  @Get('holds')
  @Roles('admin', 'auditor')
  async listHolds(): Promise<{ holds: readonly LegalHold[] }> {
    return { holds: await this.holds.list() };
  }

  @Post('holds')
  @Roles('admin')
  placeHold(@Body() body: unknown, @AdminCaller() by: AdminActor): Promise<LegalHold> {
    return this.holds.place(parseBody(PlaceLegalHold, body), by);
  }

  @Post('holds/:id/release')
  @HttpCode(200)
  @Roles('admin')
  releaseHold(@Param('id') id: string, @AdminCaller() by: AdminActor): Promise<LegalHold> {
    return this.holds.release(id, by);
  }

  @Get('erasures')
  @Roles('admin', 'auditor')
  async listErasures(): Promise<{ erasures: readonly Erasure[] }> {
    return { erasures: await this.erasures.list() };
  }

  /** 202: a run of the keeping begins; how far it is says the list. */
  @Post('erasures')
  @HttpCode(202)
  @Roles('admin')
  async requestErasure(@Body() body: unknown, @AdminCaller() by: AdminActor): Promise<Erasure> {
    const requested = await this.erasures.request(parseBody(RequestErasure, body), by);
    void this.loop.wake();
    return requested;
  }

  @Get('archive')
  @Roles('admin', 'auditor')
  async listArchive(): Promise<{ isConfigured: boolean; days: unknown[] }> {
    return { isConfigured: this.archive !== null, days: [...((await this.archive?.days()) ?? [])] };
  }
}
