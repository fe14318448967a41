import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { UseLine } from './compared-uses.js';
import type { SampleKey } from './use-samples.js';

const THREADS = 2;
const MEMORY = '2GiB';

/** The files of an archive, read by themselves: what the service knows of them is not believed. */
export class ParquetRecords {
  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly files: readonly string[],
  ) {}

  static async open(archiveDir: string): Promise<ParquetRecords> {
    const files = readdirSync(archiveDir, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.includes('warder-6003') && name.endsWith('.parquet'))
      .map((name) => join(archiveDir, name));
    const instance = await DuckDBInstance.create(':memory:', { threads: String(THREADS), memory_limit: MEMORY });
    return new ParquetRecords(instance, await instance.connect(), files);
  }

  bytes(): number {
    return this.files.reduce((sum, file) => sum + statSync(file).size, 0);
  }

  /**
   * Who used the upstream on these days, counted from the records' texts alone, those included who were only refused.
   * @param fromDay - `YYYY-MM-DD`, inclusive; `untilDay` exclusive
   */
  async countUses(upstream: string, fromDay: string, untilDay: string): Promise<UseLine[]> {
    const files = this.filesOf((day) => day >= fromDay && day < untilDay);
    if (files === undefined) return [];
    const read = await this.connection.runAndReadAll(COUNT(files), [`%"upstream":"${upstream}"%`, upstream]);
    return (read.getRows() as [string][]).map(([line]) => JSON.parse(line) as UseLine);
  }

  /** Texts of the records that the files hold. */
  async texts(keys: readonly SampleKey[]): Promise<string[]> {
    const files = this.filesOf(() => true);
    if (files === undefined || keys.length === 0) return [];
    const ids = keys.map(({ recordId }) => `('${recordId}')`).join(', ');
    await this.connection.run('CREATE OR REPLACE TEMP TABLE wanted (id VARCHAR)');
    await this.connection.run(`INSERT INTO wanted VALUES ${ids}`);
    const read = await this.connection.runAndReadAll(
      `SELECT raw_data FROM ${files} WHERE metadata.uid IN (SELECT id FROM wanted)`,
    );
    return (read.getRows() as [string][]).map(([text]) => text);
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }

  private filesOf(isWanted: (day: string) => boolean): string | undefined {
    const wanted = this.files.filter((file) => isWanted(dayOf(file)));
    return wanted.length === 0 ? undefined : `read_parquet([${wanted.map((file) => `'${file}'`).join(', ')}])`;
  }
}

/** The UTC day of a file, which its path says. */
const dayOf = (file: string): string =>
  (/eventDay=(\d{8})/.exec(file)?.[1] ?? '').replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3');

const COUNT = (files: string): string => `
SELECT CAST(json_object(
  'agent', CASE WHEN agent IS NULL THEN NULL ELSE json_object('id', agent, 'name', arg_max(agent_name, ms)) END,
  'human', CASE WHEN human IS NULL THEN NULL
    ELSE json_object('id', human, 'name', arg_max(human_name, ms), 'email', arg_max(human_email, ms)) END,
  'upstream', $2, 'tool', tool,
  'count', coalesce(sum(count) FILTER (WHERE decision = 'permit'), 0)::BIGINT,
  'refused', coalesce(sum(count) FILTER (WHERE decision = 'forbid'), 0)::BIGINT,
  'firstAtMs', min(ms), 'lastAtMs', max(ms)) AS VARCHAR)
FROM (
  SELECT json_extract_string(raw_data, '$.tool') AS tool, json_extract_string(raw_data, '$.decision') AS decision,
    json_extract(raw_data, '$.count')::INT AS count, json_extract(raw_data, '$.occurredAtMs')::BIGINT AS ms,
    json_extract_string(raw_data, '$.agent.id') AS agent,
    json_extract_string(raw_data, '$.personal.agent.name') AS agent_name,
    json_extract_string(raw_data, '$.principal.id') AS human,
    json_extract_string(raw_data, '$.personal.principal.name') AS human_name,
    json_extract_string(raw_data, '$.personal.principal.email') AS human_email
  FROM ${files}
  WHERE raw_data LIKE $1 AND json_extract_string(raw_data, '$.kind') = 'call'
    AND json_extract_string(raw_data, '$.upstream') = $2
)
GROUP BY tool, human, agent`;
