import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { AdminError } from '@warder/service-host';
import type { ArchiveConfig } from './archive-config.js';

/** A DuckDB in memory, within its bounds, that can reach nothing but the archive. */
export class Duck {
  private constructor(
    private readonly instance: DuckDBInstance,
    readonly connection: DuckDBConnection,
  ) {}

  /** @throws the library's error where the directory cannot be used */
  static async open(config: ArchiveConfig): Promise<Duck> {
    const dir = resolve(config.dir);
    const work = join(dir, '.work');
    mkdirSync(work, { recursive: true, mode: 0o700 });
    const instance = await DuckDBInstance.create(':memory:', {
      threads: String(config.threadsMax),
      memory_limit: `${Math.floor(config.memoryMaxBytes / 1_048_576)}MiB`,
      temp_directory: work,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    const connection = await instance.connect();
    // A text that found its way into a statement must not read other files or reach the network.
    await connection.run(`SET allowed_directories = [${quoted(`${dir}/`)}]`);
    await connection.run('SET enable_external_access = false');
    await connection.run(`SET TimeZone = 'UTC'`);
    await connection.run('SET lock_configuration = true');
    return new Duck(instance, connection);
  }

  /**
   * The rows of a question to files of the archive.
   * @throws AdminError 503 WDR_ARCHIVE_UNREADABLE where a file is damaged or gone. What DuckDB says stays out of it, but
   * for the kind of error and the file: it quotes what it read.
   */
  async rows(question: string, values: readonly DuckDBValue[] = []): Promise<DuckDBValue[][]> {
    try {
      return (await this.connection.runAndReadAll(question, [...values])).getRows();
    } catch (error) {
      throw unreadable((error as Error).message) ?? error;
    }
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

/** Kinds of errors that only a wrong question has, and that are bugs. */
const BUGS = ['Binder Error', 'Catalog Error', 'Parser Error'];

function unreadable(said: string): AdminError | undefined {
  const kind = /^[A-Z][A-Za-z ]* Error(?=:)/.exec(said)?.[0] ?? 'Error';
  if (BUGS.includes(kind)) return undefined;
  const file = /eventDay=\d{8}\/[\w-]+\.parquet/.exec(said)?.[0] ?? 'a file';
  return new AdminError(503, 'WDR_ARCHIVE_UNREADABLE', `${file} of the archive cannot be read (${kind})`);
}

/** The text as a literal of SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
