import type { Connection, PoolClient, Submittable } from 'pg';
import type { EntityManager } from 'typeorm';

type Settle = (error?: Error | null) => void;

/** pg's connection where it takes copied data; its types do not say so. */
type CopyConnection = Connection & { sendCopyFromChunk(chunk: Buffer): void; endCopyFrom(): void };

/**
 * Sends bytes to a `COPY … FROM STDIN`, within the transaction of the manager.
 * @param bytes - all of what is copied, in the statement's format; may be used again once this resolves
 * @throws pg's error, without any of the bytes
 */
export async function copyIn(manager: EntityManager, statement: string, bytes: Buffer): Promise<void> {
  const client = (await manager.queryRunner!.connect()) as PoolClient;
  await new Promise<void>((resolve, reject) => {
    client.query(new CopyIn(statement, bytes, (error) => (error ? reject(error) : resolve())));
  });
}

/** What pg's client calls while a copy is the query that it is at. */
class CopyIn implements Submittable {
  /** @param callback - pg puts its time-out around it, so it has this name */
  constructor(
    private readonly statement: string,
    private readonly bytes: Buffer,
    public callback: Settle,
  ) {}

  submit(connection: Connection): void {
    connection.query(this.statement);
  }

  handleCopyInResponse(connection: CopyConnection): void {
    connection.sendCopyFromChunk(this.bytes);
    connection.endCopyFrom();
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.callback();
  }

  handleError(error: Error): void {
    this.callback(error);
  }
}
