import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { MEASURED_CPU } from '../processes.js';
import { type AuditScene, type ServiceOptions, setAuditScene } from './audit-scene.js';
import { differences } from './compared-uses.js';
import { countUses, joinedUses } from './counted-uses.js';
import { closedDays, type DayLoad, loadDays } from './load-days.js';
import { measureAnswers, type Records } from './measured-answers.js';
import { ParquetRecords } from './parquet-records.js';
import type { Report } from './report.js';
import { storedTexts } from './use-samples.js';
import { CLOSED_DAYS } from './who-used-bench.js';

/** Bytes of disk that a record takes while it is in Postgres, and in the archive: measured, and a tenth more. */
const BYTES = { hot: 2_500, archived: 400 } as const;
/** Records of days that are in Postgres at one time before they become cold; two days at least, for two are loaded. */
const COOLING_AT_ONCE = 8_000_000;
const LOOK_EVERY_MS = 1_000;

export interface ArchivePlan {
  /** Records of closed days that Postgres holds, and of those that are in the archive alone. */
  readonly hot: number;
  readonly cold: number;
}

/** Why there is no room for the plan, in one sentence; undefined where there is. */
export function roomRefusal({ hot, cold }: ArchivePlan): string | undefined {
  const { bavail, bsize } = statfsSync(tmpdir());
  const bytes = BYTES.hot * Math.max(hot, Math.min(cold, COOLING_AT_ONCE)) + BYTES.archived * (hot + cold);
  if (bavail * bsize >= bytes) return undefined;
  const [needed, free] = [Math.ceil(bytes / 1e9), Math.floor((bavail * bsize) / 1e9)];
  return `bench:audit-full needs ${needed} GB of disk in ${tmpdir()} for these records, and ${free} GB are free`;
}

/**
 * Asks who used what where most days have left Postgres. Days are loaded into Postgres, and the service itself archives
 * them all and lets go of the old ones, as it does at night.
 */
export async function runArchive({ hot, cold }: ArchivePlan, report: Report): Promise<void> {
  const days = closedDays(Date.now(), CLOSED_DAYS, hot + cold);
  const hotDays = Math.max(1, Math.round((CLOSED_DAYS * hot) / (hot + cold)));
  const daysAtOnce = Math.max(2, Math.floor((COOLING_AT_ONCE * CLOSED_DAYS) / (hot + cold)));
  const scene = await setAuditScene();
  const archiveDir = join(scene.dir, 'archive');
  const options: ServiceOptions = {
    cpu: MEASURED_CPU,
    config: { publishOcsf: false, retentionDays: hotDays, archive: { dir: archiveDir } },
  };
  try {
    scene.pinPostgres('0,1');
    await (await scene.startService(options)).stop();
    // The oldest first, so that a day is cold before the next ones need its room.
    const cooling = days.slice(hotDays).toReversed();
    for (let at = 0; at < cooling.length; at += daysAtOnce)
      await archive(scene, options, cooling.slice(at, at + daysAtOnce), true);
    await archive(scene, options, days.slice(0, hotDays), false);
    const files = await ParquetRecords.open(archiveDir);
    const bytes = (files.bytes() / (hot + cold)).toFixed(0);
    report.print(`${hotDays} days in Postgres, ${cooling.length} in Parquet alone; ${bytes} bytes of Parquet a record`);
    const firstHotDay = days[hotDays - 1]!.day;
    const { upstream, question } = await measureAnswers(scene, options, bothOf(scene, files, firstHotDay), report);
    await askArchive(question.of({ source: 'archive' }), files, upstream, report);
    files.close();
  } finally {
    await scene.stop();
  }
}

/** Loads days and waits until the service has archived them, and let go of them where they are to be cold. */
async function archive(
  scene: AuditScene,
  options: ServiceOptions,
  days: readonly DayLoad[],
  isToBeCold: boolean,
): Promise<void> {
  await loadDays(scene.postgres().url, days, () => {});
  const service = await scene.startService(options);
  const client = new pg.Client({ connectionString: scene.postgres().url });
  await client.connect();
  for (;;) {
    const { rows } = await client.query<{ days: number }>(
      `SELECT count(*)::int AS days FROM audit.archive_day
       WHERE day = ANY($1::date[]) AND (dropped_at IS NOT NULL OR NOT $2)`,
      [days.map(({ day }) => day), isToBeCold],
    );
    if (rows[0]!.days === days.length) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  await client.end();
  await service.stop();
  process.stderr.write(`archived ${days.map(({ day }) => day).join(', ')}\n`);
}

/** Days of before from the files, the others from Postgres. */
function bothOf(scene: AuditScene, files: ParquetRecords, firstHotDay: string): Records {
  return {
    count: async (upstream, fromDay) =>
      joinedUses([
        ...(await countUses(scene.postgres().url, upstream, fromDay)),
        ...(await files.countUses(upstream, fromDay, firstHotDay)),
      ]),
    texts: async (keys) => [
      ...(await storedTexts(scene.postgres().url, keys)),
      ...(await files.texts(keys.filter(({ occurredAtMs }) => occurredAtMs < Date.parse(`${firstHotDay}T00:00:00Z`)))),
    ],
  };
}

/** The same question of the archived records themselves; today is not among them. */
async function askArchive(
  question: Awaited<ReturnType<typeof measureAnswers>>['question'],
  files: ParquetRecords,
  upstream: string,
  { print, check }: Report,
): Promise<void> {
  const fromMs = performance.now();
  const { fromDay, uses } = await question.first(1_000);
  print(`first 1,000 lines from the archived records themselves: ${(performance.now() - fromMs).toFixed(0)} ms`);
  const order = (line: (typeof uses)[number]): string[] => [
    line.tool ?? '',
    line.human?.id ?? '',
    line.agent?.id ?? '',
  ];
  const counted = (await files.countUses(upstream, fromDay, '9999-12-31'))
    .filter(({ count }) => count > 0)
    .map((line) => ({ ...line, samples: [] }))
    .toSorted((one, other) => (order(one).join('\0') < order(other).join('\0') ? -1 : 1))
    .slice(0, uses.length);
  const wrong = differences(uses, counted);
  for (const sentence of wrong.slice(0, 3)) print(sentence);
  check('these lines equal to a brute-force scan of the files', wrong.length === 0 && uses.length > 0);
}
