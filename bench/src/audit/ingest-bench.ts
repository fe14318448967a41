import pg from 'pg';
import { cpuTimeUs, familyCpuTimeUs } from '../cpu-time.js';
import { MEASURED_CPU, OTHERS_CPU } from '../processes.js';
import { type AuditScene, type AuditService, type ServiceOptions, setAuditScene, storedBy } from './audit-scene.js';
import { RecordGenerator } from './generated-records.js';
import { publishRecords } from './publish-records.js';
import type { Report } from './report.js';

/** Records a second on one core that are asked for, and that are aimed at. */
const TARGET = { least: 20_000, aim: 25_000 } as const;
/** Between these shares of the records it is measured: the compiler has ended, and the records have not. */
const MEASURED = { from: 0.2, until: 0.95 } as const;
/** To be asked costs the service a millisecond. */
const LOOK_EVERY_MS = 500;
const LATE_MS = 600_000;
const SEED = 20_261_128;

/** How much is ingested, and with which options of the service's Node, for a profile. */
export interface IngestPlan {
  readonly records: number;
  readonly nodeArgs: readonly string[];
}

/** What one run comes to, microseconds of CPU per record. */
interface Ingested {
  readonly perSecond: number;
  readonly serviceUs: number;
  readonly postgresUs: number;
}

/**
 * Publishes records to the real topic, then measures how fast the audit service stores them: with Postgres on the same
 * core, which is what is asked for, and on another.
 */
export async function runIngest(plan: IngestPlan, { print, check }: Report): Promise<void> {
  const scene = await setAuditScene();
  try {
    const generator = new RecordGenerator(SEED);
    const shared = await ingest(scene, generator, plan, String(MEASURED_CPU));
    print(`ingest, service and Postgres on one core: ${line(shared)}`);
    check(
      `ingest on one core, at least ${TARGET.least} records/s (aim ${TARGET.aim})`,
      shared.perSecond >= TARGET.least,
    );
    const apart = await ingest(scene, generator, plan, String(OTHERS_CPU));
    print(`ingest, service on one core, Postgres on another: ${line(apart)}`);
    for (const size of await sizes(scene, 2 * plan.records)) print(size);
  } finally {
    await scene.stop();
  }
}

const line = ({ perSecond, serviceUs, postgresUs }: Ingested): string =>
  `${perSecond.toFixed(0)} records/s; CPU a record: service ${serviceUs.toFixed(1)} us, Postgres ${postgresUs.toFixed(1)} us`;

async function ingest(
  scene: AuditScene,
  generator: RecordGenerator,
  { records, nodeArgs }: IngestPlan,
  postgresCpu: string,
): Promise<Ingested> {
  scene.pinPostgres(postgresCpu);
  await publishRecords(scene.bus, generator, records);
  const service = await scene.startService({ ...INGEST_ONLY, nodeArgs });
  try {
    const ingested = await measure(service, scene.postgres().pid, records);
    await storedAtLeast(service, records);
    return ingested;
  } finally {
    await service.stop();
  }
}

/** The events for a SIEM are another consumer's work, which ends elsewhere. */
export const INGEST_ONLY: ServiceOptions = { cpu: MEASURED_CPU, config: { publishOcsf: false } };

async function measure(service: AuditService, postgresPid: number, records: number): Promise<Ingested> {
  const from = await storedAtLeast(service, records * MEASURED.from);
  const cpu = { service: cpuTimeUs(service.pid), postgres: familyCpuTimeUs(postgresPid) };
  const until = await storedAtLeast(service, records * MEASURED.until);
  const stored = until.stored - from.stored;
  return {
    perSecond: stored / ((until.atMs - from.atMs) / 1_000),
    serviceUs: (cpuTimeUs(service.pid) - cpu.service) / stored,
    postgresUs: (familyCpuTimeUs(postgresPid) - cpu.postgres) / stored,
  };
}

async function storedAtLeast(service: AuditService, records: number): Promise<{ stored: number; atMs: number }> {
  const lateAtMs = performance.now() + LATE_MS;
  for (;;) {
    const stored = await storedBy(service);
    const atMs = performance.now();
    if (stored >= records) return { stored, atMs };
    if (atMs > lateAtMs)
      throw new Error(`${stored} of ${records} records are stored; the service says: ${service.output()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function sizes(scene: AuditScene, records: number): Promise<string[]> {
  const client = new pg.Client({ connectionString: scene.postgres().url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<'text' | 'table' | 'indexes' | 'rollup' | 'uses', string>>(
      `SELECT (SELECT avg(octet_length(record::text)) FROM audit.call_record TABLESAMPLE SYSTEM (1)) AS text,
         sum(pg_table_size(relid)) FILTER (WHERE isleaf) AS table,
         sum(pg_indexes_size(relid)) FILTER (WHERE isleaf) AS indexes,
         pg_total_relation_size('audit.usage_day') AS rollup,
         (SELECT count(*) FROM audit.usage_day) AS uses
       FROM pg_partition_tree('audit.call_record')`,
    );
    const { text, table, indexes, rollup, uses } = rows[0]!;
    const perRecord = (bytes: string): string => (Number(bytes) / records).toFixed(0);
    return [
      `bytes a record: text ${Number(text).toFixed(0)}, table ${perRecord(table)}, indexes ${perRecord(indexes)}, ` +
        `roll-up ${perRecord(rollup)} (${uses} uses of ${records} records)`,
    ];
  } finally {
    await client.end();
  }
}
