import { DataSource } from 'typeorm';

const STATEMENT_TIMEOUT_MS = 3_600_000;
const POOL_SIZE = 2;

/**
 * A second way into the service's database for work that takes long: a day that is read for the archive, an index that
 * is built. Questions and records keep their own short time-outs.
 */
export async function openPatientSource(url: string): Promise<DataSource> {
  const source = new DataSource({
    type: 'postgres',
    url,
    schema: 'audit',
    synchronize: false,
    logging: false,
    poolSize: POOL_SIZE,
    connectTimeoutMS: 3_000,
    applicationName: 'warder-audit-keeping',
    poolErrorHandler: () => {},
    extra: {
      options: '-c search_path=audit',
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS + 2_000,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
    },
  });
  return source.initialize();
}
