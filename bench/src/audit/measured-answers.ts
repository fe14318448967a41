import pg from 'pg';
import { cpuTimeUs, familyCpuTimeUs } from '../cpu-time.js';
import { quantile } from '../statistics.js';
import { UsesQuestion } from './asked-uses.js';
import type { AuditScene, AuditService, ServiceOptions } from './audit-scene.js';
import { startCold } from './cold-start.js';
import { differences, type UseLine } from './compared-uses.js';
import { LOG, RecordGenerator } from './generated-records.js';
import { publishSteadily } from './publish-records.js';
import type { Report } from './report.js';
import { type SampleKey, wrongSamples } from './use-samples.js';

const TARGET = { coldMs: 1_000, warmMs: 100 } as const;
const WARM_REQUESTS = 50;
const INGEST_PER_SECOND = 1_000;
const SETTLE_MS = 3_000;
const LATE_MS = 120_000;
const DIFFERENCES_TOLD = 5;

/** The records themselves, wherever they lie. */
export interface Records {
  /** Who used the upstream since the day, counted by reading every record; those included who were only refused. */
  count(upstream: string, fromDay: string): Promise<UseLine[]>;
  texts(keys: readonly SampleKey[]): Promise<readonly string[]>;
}

/**
 * Asks who used the busiest upstream in the last 30 days: cold, warm, and while records come in; then compares every
 * line of every page with the records themselves.
 * @returns the question, of a service that goes on running
 */
export async function measureAnswers(
  scene: AuditScene,
  options: ServiceOptions,
  records: Records,
  { print, check }: Report,
): Promise<{ readonly upstream: string; readonly question: UsesQuestion }> {
  const upstream = await busiestUpstream(scene);
  const service = await startCold(scene, options, print);
  const question = new UsesQuestion(service, scene.bearer, { upstream });
  const coldMs = await question.timed();
  print(`first page of ${upstream}, database restarted, page cache dropped: ${coldMs.toFixed(0)} ms`);
  check(`first page cold, under ${TARGET.coldMs} ms`, coldMs < TARGET.coldMs);
  const before = cpuOf(scene, service);
  const quiet = await warm(question);
  const spent = cpuOf(scene, service).map((us, at) => (us - before[at]!) / WARM_REQUESTS / 1_000);
  print(
    `first page warm, ${WARM_REQUESTS} requests: ${quiet.words}; ` +
      `CPU a page: service ${spent[0]!.toFixed(1)} ms, Postgres ${spent[1]!.toFixed(1)} ms`,
  );
  check(`first page warm, under ${TARGET.warmMs} ms (p50)`, quiet.p50 < TARGET.warmMs);
  await whileIngesting(scene, question, { print, check });
  const { fromDay, uses, pages } = await question.all();
  const counted = (await records.count(upstream, fromDay)).filter(({ count }) => count > 0);
  const wrong = [...differences(uses, counted), ...(await wrongSamples(uses, (keys) => records.texts(keys)))];
  for (const sentence of wrong.slice(0, DIFFERENCES_TOLD)) print(sentence);
  const calls = counted.reduce((sum, line) => sum + line.count + line.refused, 0);
  print(`${uses.length} lines on ${pages} pages of ${calls} calls; ${wrong.length} differ from the records`);
  check('every line equal to a brute-force scan of the records', wrong.length === 0 && uses.length > 0);
  return { upstream, question };
}

/** Microseconds of CPU that the service and Postgres have spent. */
const cpuOf = (scene: AuditScene, { pid }: AuditService): [service: number, postgres: number] => [
  cpuTimeUs(pid),
  familyCpuTimeUs(scene.postgres().pid),
];

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

async function warm(question: UsesQuestion): Promise<{ words: string; p50: number }> {
  const times: number[] = [];
  for (let asked = 0; asked < WARM_REQUESTS; asked++) times.push(await question.timed());
  const p50 = quantile(times, 0.5);
  return { words: `p50 ${p50.toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(1)} ms`, p50 };
}

async function whileIngesting(scene: AuditScene, question: UsesQuestion, { print, check }: Report): Promise<void> {
  const stop = publishSteadily(scene.bus, new RecordGenerator(2), INGEST_PER_SECOND);
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const busy = await warm(question);
  const sent = await stop();
  print(`first page warm while ${INGEST_PER_SECOND} records/s come in: ${busy.words} (${sent} records)`);
  check(`first page warm with ingest running, under ${TARGET.warmMs} ms (p50)`, busy.p50 < TARGET.warmMs);
  await untilStored(scene, sent);
}

/** Counts in Postgres what was generated: the questions themselves leave records, too. */
async function untilStored(scene: AuditScene, records: number): Promise<void> {
  const client = new pg.Client({ connectionString: scene.postgres().url });
  await client.connect();
  const stored = async (): Promise<number> => {
    const { rows } = await client.query<{ stored: number }>(
      `SELECT count(*)::int AS stored FROM audit.call_record WHERE occurred_at >= date_trunc('day', now()) AND log = $1`,
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
