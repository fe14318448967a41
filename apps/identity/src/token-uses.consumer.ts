import { Inject, type OnModuleInit } from '@nestjs/common';
import { getDataSourceToken } from '@nestjs/typeorm';
import { type TokenUse, tokenUsedTopic } from '@warder/contracts';
import type { Host } from '@warder/service-host';
import type { DataSource } from 'typeorm';

/** Under which the process is asked for its host. */
export const HOST = Symbol('identity host');
const GROUP = 'identity';

/** Keeps when each token was last used, as nodes tell it. No version of the token and no message comes of it. */
export class TokenUsesConsumer implements OnModuleInit {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(getDataSourceToken('identity')) private readonly source: DataSource,
  ) {}

  onModuleInit(): void {
    const { bus, log } = this.host;
    const reading = bus
      .ensureTopics([tokenUsedTopic])
      .then(() => bus.subscribe(tokenUsedTopic, GROUP, ({ value }) => this.keep(value.uses)));
    // Not waited for: while the bus is away administration goes on.
    reading.catch((error: unknown) => log.error({ err: error }, 'uses of tokens cannot be read'));
    this.host.onDrain('token uses', () => reading.then((subscription) => subscription.stop()).catch(() => undefined));
  }

  /** Messages come late and twice, and a node's clock may be ahead: the latest use up to now is what stays. */
  private async keep(uses: readonly TokenUse[]): Promise<void> {
    await this.source.query(
      `UPDATE token SET last_used_at_ms = used.at_ms
      FROM (SELECT id, least(max(at_ms), $3) AS at_ms FROM unnest($1::text[], $2::bigint[]) AS told (id, at_ms)
        GROUP BY id) AS used
      WHERE token.id = used.id AND (token.last_used_at_ms IS NULL OR token.last_used_at_ms < used.at_ms)`,
      [
        uses.map(({ tokenId }) => tokenId),
        uses.map(({ atMs }) => Math.floor(atMs)),
        Math.floor(this.host.clock.wallMs()),
      ],
    );
  }
}
