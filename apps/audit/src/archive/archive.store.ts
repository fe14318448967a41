import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditRecord } from '@warder/contracts';
import { parseJson, stringifyJson } from '@warder/mcp-wire';
import { withStore } from '@warder/postgres';
import { ocsfEvent } from '@warder/siem-format';
import type { DataSource } from 'typeorm';
import { rangeOf } from '../partition.store.js';
import type { ArchiveConfig } from './archive-config.js';
import { partPath } from './archive-layout.js';
import { countDay, type DayRow, dayRows } from './day-rows.store.js';
import type { Duck } from './duck.js';
import { ocsfStructure } from './ocsf-structure.js';
import { calledInFiles, isNamedInFiles } from './named-in-files.js';
import { PartWriter, sortedRawDataOf, type WrittenPart } from './part-writer.js';
import type { Called, Subject } from './subject-names.js';

/** Rows of one file at most. */
const PART_ROWS_MAX = 500_000;

/** A day of the archive. */
export interface ArchivedDay {
  readonly day: string;
  readonly generation: number;
  readonly rows: number;
  /** Rows of Postgres that were among them and that it has not let go. */
  readonly hotRows: number;
  /** Whether Postgres still holds the day too. */
  readonly isHot: boolean;
}

/** A file of the archive as the store knows it. */
export interface ArchivedPart extends WrittenPart {
  readonly path: string;
  readonly classUid: number;
}

/** Days of records as Parquet, and what is known of them in Postgres. */
export class ArchiveStore {
  constructor(
    private readonly source: DataSource,
    private readonly duck: Duck,
    private readonly config: ArchiveConfig,
  ) {}

  /** Days that are archived, oldest first. */
  async days(): Promise<readonly ArchivedDay[]> {
    return withStore(() =>
      this.source.query(
        `SELECT to_char(day, 'YYYY-MM-DD') AS day, generation, rows::float8 AS rows, hot_rows::float8 AS "hotRows", dropped_at IS NULL AS "isHot"
         FROM archive_day ORDER BY day`,
      ),
    );
  }

  /** Paths of the files of these days in force now, in the order of their days. */
  async paths(fromDay: string, toDay: string): Promise<readonly string[]> {
    const rows = await withStore<{ path: string }[]>(() =>
      this.source.query(`SELECT path FROM archive_file WHERE day >= $1::date AND day <= $2::date ORDER BY day, path`, [
        fromDay,
        toDay,
      ]),
    );
    return rows.map(({ path }) => join(this.config.dir, path));
  }

  /**
   * Writes the day whole: what Postgres holds of it and what was archived of it before, so that no row of a file is lost
   * because Postgres lost it. Files of before are removed.
   * @param change - what becomes of a record's text on its way
   */
  async write(day: string, change: (text: string) => string = (text) => text): Promise<ArchivedDay> {
    const before = (await this.days()).find((known) => known.day === day);
    const replaced = await this.paths(day, day);
    const generation = (before?.generation ?? 0) + 1;
    let hotRows = 0;
    const parts = await this.writeParts(
      day,
      generation,
      merged(
        counted(dayRows(this.source, day), () => hotRows++),
        this.coldRows(replaced),
      ),
      change,
    );
    const rows = parts.reduce((sum, part) => sum + part.rows, 0);
    await withStore(() =>
      this.source.transaction(async (manager) => {
        await manager.query('DELETE FROM archive_file WHERE day = $1::date', [day]);
        await manager.query(
          `INSERT INTO archive_file (path, day, class_uid, rows, bytes, digest)
           SELECT p.path, $1::date, p."classUid", p.rows, p.bytes, p.digest
           FROM json_to_recordset($2::json) AS p(path text, "classUid" int, rows bigint, bytes bigint, digest text)`,
          [day, JSON.stringify(parts)],
        );
        await manager.query(
          `INSERT INTO archive_day (day, generation, rows, hot_rows, written_at) VALUES ($1::date, $2, $3, $4, now())
           ON CONFLICT (day) DO UPDATE SET generation = $2, rows = $3, hot_rows = $4, written_at = now()`,
          [day, generation, rows, hotRows],
        );
      }),
    );
    for (const path of replaced) unlinkSync(path);
    return { day, generation, rows, hotRows, isHot: before?.isHot ?? true };
  }

  /**
   * Takes the day out of Postgres, if the archive holds every record of it. Nothing is added to the day meanwhile.
   * @returns whether it was; a day that got late records has to be written again first
   */
  async dropHot(day: string, partition: string): Promise<boolean> {
    const known = (await this.days()).find((archived) => archived.day === day);
    return withStore(() =>
      this.source.transaction(async (manager) => {
        await manager.query(`SET LOCAL lock_timeout = '2s'`);
        // Only what the day's records go to: the records of today are stored meanwhile.
        const [{ exists }] = await manager.query('SELECT to_regclass($1) IS NOT NULL AS exists', [partition]);
        await manager.query(
          `LOCK TABLE ${exists ? `ONLY ${partition}, ` : ''}ONLY call_record_default IN SHARE ROW EXCLUSIVE MODE`,
        );
        if ((await countDay(manager, day)) !== (known?.hotRows ?? 0)) return false;
        await manager.query(`DROP TABLE IF EXISTS ${partition}`);
        await manager.query(
          'DELETE FROM call_record_default WHERE occurred_at >= $1::timestamptz AND occurred_at < $2::timestamptz',
          rangeOf(day),
        );
        await manager.query(
          'UPDATE archive_day SET hot_rows = 0, dropped_at = coalesce(dropped_at, now()) WHERE day = $1::date',
          [day],
        );
        return true;
      }),
    );
  }

  /** Archived days up to `toDay` some of whose records hold personal bytes of the subject, or may. */
  async daysNaming(subject: Subject, toDay: string): Promise<readonly ArchivedDay[]> {
    const naming: ArchivedDay[] = [];
    for (const { archived, paths } of await this.filesTo(toDay)) {
      if (await isNamedInFiles(this.duck, paths, subject)) naming.push(archived);
    }
    return naming;
  }

  /** How the archive has the subject called. */
  async called(id: string, toDay: string): Promise<readonly Called[]> {
    const called: Called[] = [];
    for (const { paths } of await this.filesTo(toDay)) called.push(...(await calledInFiles(this.duck, paths, id)));
    return called;
  }

  /** Ends the time of a day: its files and what is known of them. */
  async remove(day: string): Promise<void> {
    const paths = await this.paths(day, day);
    await withStore(() =>
      this.source.transaction(async (manager) => {
        await manager.query('DELETE FROM archive_file WHERE day = $1::date', [day]);
        await manager.query('DELETE FROM archive_day WHERE day = $1::date', [day]);
      }),
    );
    for (const path of paths) unlinkSync(path);
  }

  private async filesTo(toDay: string): Promise<{ archived: ArchivedDay; paths: readonly string[] }[]> {
    const days = (await this.days()).filter(({ day }) => day <= toDay);
    const files = await Promise.all(
      days.map(async (archived) => ({ archived, paths: await this.paths(archived.day, archived.day) })),
    );
    return files.filter(({ paths }) => paths.length > 0);
  }

  private async *coldRows(paths: readonly string[]): AsyncGenerator<DayRow> {
    for await (const text of sortedRawDataOf(this.duck, paths)) {
      const { recordId, occurredAtMs } = JSON.parse(text) as { recordId: string; occurredAtMs: number };
      yield { recordId, occurredAtMs, text };
    }
  }

  private async writeParts(
    day: string,
    generation: number,
    rows: AsyncIterable<DayRow>,
    change: (text: string) => string,
  ): Promise<(ArchivedPart & { path: string })[]> {
    const open = new Map<number, { writer: PartWriter; part: number }>();
    const written: ArchivedPart[] = [];
    const finish = async (classUid: number): Promise<void> => {
      const { writer, part } = open.get(classUid)!;
      const path = partPath(this.config, { day, classUid, generation, part });
      written.push({ path, classUid, ...(await writer.finish(join(this.config.dir, path))) });
    };
    for await (const row of rows) {
      const text = change(row.text);
      const event = ocsfEvent(parseJson(text) as AuditRecord);
      const classUid = event.class_uid;
      let current = open.get(classUid);
      if (current !== undefined && current.writer.rowCount >= PART_ROWS_MAX) await finish(classUid);
      if (current === undefined || current.writer.rowCount >= PART_ROWS_MAX) {
        const part = current === undefined ? 0 : current.part + 1;
        const writer = await PartWriter.begin(this.duck, `part_${classUid}`, ocsfStructure(classUid));
        current = { writer, part };
        open.set(classUid, current);
      }
      current.writer.add(stringifyJson(event), text);
    }
    for (const classUid of open.keys()) await finish(classUid);
    return written;
  }
}

async function* counted(rows: AsyncGenerator<DayRow>, count: () => void): AsyncGenerator<DayRow> {
  for await (const row of rows) {
    count();
    yield row;
  }
}

/** Both sorted streams as one, each record once. */
async function* merged(hot: AsyncGenerator<DayRow>, cold: AsyncGenerator<DayRow>): AsyncGenerator<DayRow> {
  let left = await hot.next();
  let right = await cold.next();
  while (!left.done || !right.done) {
    if (right.done || (!left.done && isBefore(left.value, right.value))) {
      yield left.value as DayRow;
      left = await hot.next();
    } else {
      // Of a record in both the stored text counts: an erasure came there first.
      const isBoth = !left.done && left.value.recordId === (right.value as DayRow).recordId;
      yield (isBoth ? left.value : right.value) as DayRow;
      if (isBoth) left = await hot.next();
      right = await cold.next();
    }
  }
}

function isBefore(a: DayRow, b: DayRow): boolean {
  if (a.occurredAtMs !== b.occurredAtMs) return a.occurredAtMs < b.occurredAtMs;
  return a.recordId < b.recordId;
}
