import {
  type Query,
  rewrapAll,
  type RewrapProgress,
  SecretError,
  sealedColumns,
  sealedRowsOf,
  type SecretStore,
} from '@warder/secrets';
import type { Host } from '@warder/service-host';

export interface SealAnewOptions {
  readonly host: Pick<Host, 'log' | 'metrics'>;
  readonly signal: AbortSignal;
}

/**
 * Seals what an earlier key sealed with the key that seals now: named secrets, then every sealed column of the database. How
 * far it is stands in `/metrics`. Begun again it goes over everything and changes what is left.
 * @throws SecretError while the store is away
 */
export async function sealAnew(secrets: SecretStore, query: Query, options: SealAnewOptions): Promise<void> {
  const { host, signal } = options;
  const gauge = host.metrics.gauge('warder_secrets_sealing_anew', 'How far the last walk over sealed values is', [
    'what',
    'part',
  ]);
  const tell = (what: string) => (progress: RewrapProgress) => {
    for (const [part, value] of Object.entries(progress)) gauge.set({ what, part }, value);
  };
  const ended = (what: string, { changed, failed }: RewrapProgress) => {
    if (changed + failed > 0) host.log.info({ what, changed, failed }, 'secrets were sealed anew');
  };
  ended('named', await secrets.reencrypt(tell('named')));
  for (const column of await sealedColumns(query)) {
    const what = `${column.relation}.${column.attribute}`;
    const progress = await rewrapAll({
      rows: sealedRowsOf(column, query),
      rewrap: (sealed, context) => secrets.rewrap(sealed, context),
      signal,
      tell: tell(what),
      onFailed: (row, error) => {
        if (error instanceof SecretError && error.isUnavailable) throw error;
        host.log.error({ what, row: row.context.row, err: error }, 'a sealed value cannot be opened');
      },
    });
    ended(what, progress);
  }
}
