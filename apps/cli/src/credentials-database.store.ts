import type { Query } from '@warder/secrets';
import pg from 'pg';

export interface CredentialsDatabase {
  readonly query: Query;
  close(): Promise<void>;
}

/**
 * Connects in the place of the credentials service, for as long as this is open: with two at work, one would write what
 * the other cannot open.
 * @throws Error when the service runs
 */
export async function openInPlaceOfService(url: string): Promise<CredentialsDatabase> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const query: Query = async (sql, parameters) =>
    (await client.query<Record<string, unknown>>(sql, [...parameters])).rows;
  const close = () => client.end();
  try {
    // The service holds this lock while it publishes.
    const lock = `SELECT pg_try_advisory_lock(hashtext('warder_outbox'), hashtext('credentials')) AS locked`;
    const [taken] = await query(lock, []);
    if (taken?.locked !== true) throw new Error('the credentials service runs on this database: stop it before');
    return { query, close };
  } catch (error) {
    await close();
    throw error;
  }
}
