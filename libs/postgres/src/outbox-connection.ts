import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { OUTBOX_CHANNEL } from './outbox-channel.js';

const LOCK_RETRY_MS = 500;

/** The publisher's own connection: it holds the owner's advisory lock, for as long as it lives, and hears of new rows. */
export class OutboxConnection {
  private current: Promise<pg.Client> | undefined;
  private live: pg.Client | undefined;
  private closed = false;
  /** One statement at a time, for pg would queue them without a bound of its own. */
  private lastAsked: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly url: string,
    private readonly schema: string,
    private readonly wake: (topicName: string) => void,
  ) {}

  /** Whether this process is the publisher, as far as is known now. */
  get isLive(): boolean {
    return this.live !== undefined;
  }

  /**
   * Rows of one statement, once the connection holds the lock; waits while another process of the service holds it.
   * @throws Error when the database is away or the connection was closed
   */
  async query<R extends object>(text: string, values: readonly unknown[]): Promise<R[]> {
    const client = await this.client();
    const asked = this.lastAsked.then(() => client.query<R>(text, [...values]));
    this.lastAsked = asked.catch(() => {});
    return (await asked).rows;
  }

  async close(): Promise<void> {
    this.closed = true;
    const client = await this.current?.catch(() => undefined);
    await client?.end().catch(() => {});
  }

  private async client(): Promise<pg.Client> {
    if (this.closed) throw new Error('the outbox was stopped');
    this.current ??= this.open();
    const opening = this.current;
    try {
      return await opening;
    } catch (error) {
      if (this.current === opening) this.current = undefined;
      throw error;
    }
  }

  private async open(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: this.url,
      options: `-c search_path=${this.schema}`,
      application_name: `warder-${this.schema}-outbox`,
      connectionTimeoutMillis: 3_000,
      query_timeout: 10_000,
      keepAlive: true,
    });
    client.on('error', () => this.lose(client));
    client.on('end', () => this.lose(client));
    client.on('notification', ({ payload }) => this.hear(payload ?? ''));
    try {
      await client.connect();
      await this.lock(client);
      await client.query(`LISTEN ${OUTBOX_CHANNEL}`);
      this.live = client;
      return client;
    } catch (error) {
      await client.end().catch(() => {});
      throw error;
    }
  }

  private async lock(client: pg.Client): Promise<void> {
    for (;;) {
      if (this.closed) throw new Error('the outbox was stopped');
      const { rows } = await client.query<{ locked: boolean }>(
        `SELECT pg_try_advisory_lock(hashtext('${OUTBOX_CHANNEL}'), hashtext($1)) AS locked`,
        [this.schema],
      );
      if (rows[0]!.locked) return;
      await delay(LOCK_RETRY_MS);
    }
  }

  private hear(payload: string): void {
    const [schema, topicName] = payload.split(' ');
    if (schema === this.schema && topicName !== undefined) this.wake(topicName);
  }

  private lose(client: pg.Client): void {
    if (this.live !== client) return;
    this.live = undefined;
    this.current = undefined;
  }
}
