import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import pg from 'pg';
import { quantile } from '../statistics.js';
import { UsesQuestion } from './asked-uses.js';
import { type AuditScene, type AuditService, setAuditScene } from './audit-scene.js';
import { differences } from './compared-uses.js';
import { countUses } from './counted-uses.js';
import { LOG, RecordGenerator } from './generated-records.js';
import { INGEST_ONLY } from './ingest-bench.js';
import { closedDays, loadDays } from './load-days.js';
import { publishSteadily } from './publish-records.js';
import type { Report } from './report.js';
import { wrongSamples } from './use-samples.js';

const CLOSED_DAYS = 29;
const TARGET = { coldMs: 1_000, warmMs: 100 } as const;
const WARM_REQUESTS = 50;
const INGEST_PER_SECOND = 1_000;
const SETTLE_MS = 3_000;
const LATE_MS = 120_000;
const BOTH_CPUS = '0,1';
const DIFFERENCES_TOLD = 5;

/**
 * Asks who used the busiest upstream in the last 30 days, of so many records: cold, warm, and while records come in;
 * then compares every line of every page with the records themselves.
 */
export async function runWhoUsed(records: number, { print, check }: Report): Promise<void> {
  const scene = await setAuditScene();
  try {
    scene.pinPostgres(BOTH_CPUS);
    await (await scene.startService(INGEST_ONLY)).stop();
    await load(scene, records, print);
    const upstream = await busiestUpstream(scene);
    print(`busiest upstream: ${upstream}`);
    const service = await startCold(scene, print);
    const question = new UsesQuestion(service, scene.bearer, { upstream });
    const coldMs = await question.timed();
    print(`first page, database restarted, page cache dropped: ${coldMs.toFixed(0)} ms`);
    check(`first page cold, under ${TARGET.coldMs} ms`, coldMs < TARGET.coldMs);
    const quiet = await warm(question);
    print(`first page warm, ${WARM_REQUESTS} requests: ${quiet.words}`);
    check(`first page warm, under ${TARGET.warmMs} ms (p99)`, quiet.p99 < TARGET.warmMs);
    await whileIngesting(scene, question, { print, check });
    await compare(scene, question, upstream, { print, check });
  } finally {
    await scene.stop();
  }
}

async function load(scene: AuditScene, records: number, print: Report['print']): Promise<void> {
  const fromMs = performance.now();
  let done = 0;
  await loadDays(scene.postgres().url, closedDays(Date.now(), CLOSED_DAYS, records), (day) => {
    done += day.records;
    process.stderr.write(`loaded ${day.day}: ${done} of ${records} records\n`);
  });
  const seconds = (performance.now() - fromMs) / 1_000;
  print(`loaded ${records} records of ${CLOSED_DAYS} closed days in ${seconds.toFixed(0)} s`);
}

async function busiestUpstream(scene: AuditScene): Promise<string> {
  const client = new pg.Client({ connectionString: scene.postgres().url });
  await client.connect();
  const { rows } = await client.query<{ upstream: string }>(
    'SELECT upstream FROM audit.usage_day GROUP BY 1 ORDER BY sum(permitted + forbidden) DESC LIMIT 1',
  );
  await client.end();
  if (rows[0] === undefined) throw new Error('nothing was counted');
  return rows[0].upstream;
}

/** The service and a database of which nothing is in memory but what their start read. */
export async function startCold(scene: AuditScene, print: Report['print']): Promise<AuditService> {
  await scene.restartPostgres();
  scene.pinPostgres(BOTH_CPUS);
  const service = await scene.startService(INGEST_ONLY);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  spawnSync('sync');
  try {
    writeFileSync('/proc/sys/vm/drop_caches', '3');
  } catch {
    print('the page cache could not be dropped: only root may');
  }
  return service;
}

async function warm(question: UsesQuestion): Promise<{ words: string; p99: number }> {
  const times: number[] = [];
  for (let asked = 0; asked < WARM_REQUESTS; asked++) times.push(await question.timed());
  const p99 = quantile(times, 0.99);
  return { words: `p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`, p99 };
}

async function whileIngesting(scene: AuditScene, question: UsesQuestion, { print, check }: Report): Promise<void> {
  const stop = publishSteadily(scene.bus, new RecordGenerator(2), INGEST_PER_SECOND);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const busy = await warm(question);
  const sent = await stop();
  print(`first page warm while ${INGEST_PER_SECOND} records/s come in: ${busy.words} (${sent} records)`);
  check(`first page warm with ingest running, under ${TARGET.warmMs} ms (p99)`, busy.p99 < TARGET.warmMs);
  await untilStored(scene, sent);
}

/** Counts in Postgres what was generated: the questions themselves leave records, too. */
async function untilStored(scene: AuditScene, records: number): Promise<void> {
  const client = new pg.Client({ connectionString: scene.postgres().url });
  await client.connect();
  const stored = async (): Promise<number> => {
    const { rows } = await client.query<{ stored: number }>(
      `SELECT count(*)::int AS stored FROM audit.call_record WHERE occurred_at > now() - interval '1 day' AND log = $1`,
      [LOG],
    );
    return rows[0]!.stored;
  };
  const lateAtMs = performance.now() + LATE_MS;
  while ((await stored()) < records) {
    if (performance.now() > lateAtMs) throw new Error(`fewer than ${records} records were stored`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await client.end();
}

async function compare(
  scene: AuditScene,
  question: UsesQuestion,
  upstream: string,
  { print, check }: Report,
): Promise<void> {
  const { url } = scene.postgres();
  const { fromDay, uses, pages } = await question.all();
  const counted = await countUses(url, upstream, fromDay);
  const wrong = [...differences(uses, counted), ...(await wrongSamples(url, uses))];
  for (const sentence of wrong.slice(0, DIFFERENCES_TOLD)) print(sentence);
  const calls = counted.reduce((sum, line) => sum + line.count + line.refused, 0);
  print(`${uses.length} lines on ${pages} pages of ${calls} calls; ${wrong.length} differ from the records`);
  check('every line equal to a brute-force scan of the records', wrong.length === 0 && uses.length > 0);
}
