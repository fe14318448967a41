import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
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

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }
}

/** The text as a literal of SQL. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
