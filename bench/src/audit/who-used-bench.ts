import { setAuditScene } from './audit-scene.js';
import { countUses } from './counted-uses.js';
import { INGEST_ONLY } from './ingest-bench.js';
import { closedDays, loadDays } from './load-days.js';
import { measureAnswers } from './measured-answers.js';
import type { Report } from './report.js';
import { storedTexts } from './use-samples.js';

/** With today they are the 30 days that are asked for. */
export const CLOSED_DAYS = 29;

/** Asks who used what of so many records, all of them in Postgres. */
export async function runWhoUsed(records: number, report: Report): Promise<void> {
  const scene = await setAuditScene();
  try {
    scene.pinPostgres('0,1');
    // Makes its tables.
    await (await scene.startService(INGEST_ONLY)).stop();
    const fromMs = performance.now();
    let done = 0;
    await loadDays(scene.postgres().url, closedDays(Date.now(), CLOSED_DAYS, records), (day) => {
      done += day.records;
      process.stderr.write(`loaded ${day.day}: ${done} of ${records} records\n`);
    });
    const seconds = (performance.now() - fromMs) / 1_000;
    report.print(`loaded ${records} records of ${CLOSED_DAYS} closed days in ${seconds.toFixed(0)} s`);
    const inPostgres = {
      count: (upstream: string, fromDay: string) => countUses(scene.postgres().url, upstream, fromDay),
      texts: (keys: Parameters<typeof storedTexts>[1]) => storedTexts(scene.postgres().url, keys),
    };
    await measureAnswers(scene, INGEST_ONLY, inPostgres, report);
  } finally {
    await scene.stop();
  }
}
