import type { IncomingMessage } from 'node:http';
import { Body, Controller, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { BehindSideDoor } from '@warder/admin-access';
import { AdminError, parseBody } from '@warder/service-host';
import { z } from 'zod';
import { LeakedTokens, type LeakReport } from './leaked-tokens.store.js';
import { LEAKS_PREFIX, LeaksDoor } from './leaks-door.js';

export const TOKENS_MAX = Symbol('texts in one report');

const Text = z.string().max(1_000);
/** Texts as such, or in the form of GitHub's reports, of which only `token` is looked at. */
const Report = z.array(z.union([Text, z.looseObject({ token: Text })])).min(1);

/** Takes in what secret scanners found. */
@Controller('admin/identity/leaked-tokens')
@BehindSideDoor(LEAKS_PREFIX)
export class LeakedTokensController {
  constructor(
    @Inject(LeaksDoor) private readonly door: LeaksDoor,
    @Inject(LeakedTokens) private readonly leaked: LeakedTokens,
    @Inject(TOKENS_MAX) private readonly tokensMax: number,
  ) {}

  @Post()
  @HttpCode(200)
  async report(@Body() body: unknown, @Req() { raw }: { raw: IncomingMessage }): Promise<LeakReport> {
    const text = typeof body === 'string' ? body : '';
    const reporter = this.door.reporterOf(raw, text);
    const reported = parseBody(Report.max(this.tokensMax), jsonOf(text));
    return this.leaked.end(
      reported.map((one) => (typeof one === 'string' ? one : one.token)),
      reporter,
    );
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new AdminError(400, 'WDR_BODY_INVALID', 'body: not JSON');
  }
}
