import { DuckDBInstance } from '@duckdb/node-api';
import type { AuditRecord } from '@warder/contracts';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { differences, keyOf, type UseLine } from './compared-uses.js';
import { joinedUses } from './counted-uses.js';
import { RecordGenerator, upstreamName } from './generated-records.js';
import { ParquetRecords } from './parquet-records.js';

const DAYS = ['2026-11-23', '2026-11-24'] as const;
const UPSTREAM = upstreamName(0);

describe('the files of an archive', () => {
  const dir = mkdtempSync(join(tmpdir(), 'warder-bench-parquet-'));
  const records: AuditRecord[] = [];
  let files: ParquetRecords;

  beforeAll(async () => {
    const generator = new RecordGenerator(1);
    const duck = await (await DuckDBInstance.create(':memory:')).connect();
    for (const day of DAYS) {
      const atMs = Date.parse(`${day}T10:00:00Z`);
      const texts = Array.from({ length: 1_000 }, (_, index) => generator.next(atMs + index).value.toString());
      records.push(...texts.map((text) => JSON.parse(text) as AuditRecord));
      const folder = join(dir, `ext/warder-6003/region=local/accountId=warder/eventDay=${day.replaceAll('-', '')}`);
      mkdirSync(folder, { recursive: true });
      const lines = join(dir, 'lines.json');
      writeFileSync(lines, texts.map((text) => JSON.stringify({ uid: JSON.parse(text).recordId, text })).join('\n'));
      await duck.run(
        `COPY (SELECT {'uid': uid} AS metadata, text AS raw_data
               FROM read_json('${lines}', format = 'newline_delimited', columns = {uid: 'VARCHAR', text: 'VARCHAR'}))
         TO '${folder}/g001-p0000.parquet' (FORMAT parquet)`,
      );
    }
    files = await ParquetRecords.open(dir);
  });
  afterAll(() => {
    files?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('are counted as their records say', async () => {
    const [first] = DAYS;
    expect(differences(await files.countUses(UPSTREAM, first, '9999-12-31'), usesOf(records))).toEqual([]);
    const ofFirst = records.slice(0, 1_000);
    expect(differences(await files.countUses(UPSTREAM, first, DAYS[1]), usesOf(ofFirst))).toEqual([]);
    expect(usesOf(ofFirst).length).toBeGreaterThan(100);
  });

  it('give the texts of the records that are asked for', async () => {
    const wanted = records.slice(998, 1_002);
    const texts = await files.texts(wanted);
    expect(new Set(texts)).toEqual(new Set(wanted.map((record) => JSON.stringify(record))));
  });

  function usesOf(some: readonly AuditRecord[]): UseLine[] {
    const lines = some
      .filter(({ upstream }) => upstream === UPSTREAM)
      .map(({ agent, principal, personal, tool, decision, occurredAtMs }): UseLine => ({
        agent: agent && { id: agent.id, name: personal!.agent!.name },
        human: principal && { id: principal.id, ...personal!.principal! },
        upstream: UPSTREAM,
        tool,
        count: decision === 'permit' ? 1 : 0,
        refused: decision === 'forbid' ? 1 : 0,
        firstAtMs: occurredAtMs,
        lastAtMs: occurredAtMs,
      }));
    expect(new Set(lines.map(keyOf)).size).toBe(joinedUses(lines).length);
    return joinedUses(lines);
  }
});
