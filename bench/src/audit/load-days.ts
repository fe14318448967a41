import pg from 'pg';
import { prose, seededRandom } from '../prose.js';
import { POPULATION } from './generated-records.js';

const DAY_MS = 86_400_000;
/** Days are loaded two at a time, for there are two CPUs. */
const LOADERS = 2;
const TEXTS = 509;
const TEXT_CHARACTERS = { arguments: 150, result: 190 } as const;

/** What is loaded into one UTC day. */
export interface DayLoad {
  /** `YYYY-MM-DD` */
  readonly day: string;
  readonly records: number;
}

/** So many records spread over the closed days before today, the newest day first. */
export function closedDays(nowMs: number, days: number, records: number): DayLoad[] {
  return Array.from({ length: days }, (_, index) => ({
    day: new Date(nowMs - (index + 1) * DAY_MS).toISOString().slice(0, 10),
    records: Math.floor((records * (index + 1)) / days) - Math.floor((records * index) / days),
  }));
}

/**
 * Fills closed days with records of the same form and spread as the generator's, far faster than they could be
 * ingested: each day is made by Postgres itself in a table of its own, which becomes the day's partition, and the
 * roll-up is counted from it by the rules of the ingest. The service has made its tables and does not run.
 */
export async function loadDays(url: string, days: readonly DayLoad[], loaded: (day: DayLoad) => void): Promise<void> {
  const left = [...days];
  const load = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: url, options: '-c search_path=audit' });
    await client.connect();
    try {
      await client.query(`SET maintenance_work_mem = '256MB'; SET work_mem = '256MB'; SET synchronous_commit = off`);
      await makeBook(client);
      for (let day = left.shift(); day !== undefined; day = left.shift()) {
        await loadDay(client, day);
        loaded(day);
      }
    } finally {
      await client.end();
    }
  };
  await Promise.all(Array.from({ length: LOADERS }, load));
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  // As autovacuum would have left it by the end of each day.
  await client.query('VACUUM (ANALYZE) audit.usage_day');
  await client.end();
}

/** Texts to choose from: to cut them from a long one, character by character, would be most of the work. */
async function makeBook(client: pg.Client): Promise<void> {
  const random = seededRandom(20_261_128);
  const texts = (characters: number): string[] => Array.from({ length: TEXTS }, () => prose(random, characters));
  await client.query(
    `CREATE TEMP TABLE book AS SELECT n - 1 AS n, to_json(a)::text AS arguments, to_json(r)::text AS result
     FROM ROWS FROM (unnest($1::text[]), unnest($2::text[])) WITH ORDINALITY AS x(a, r, n)`,
    [texts(TEXT_CHARACTERS.arguments), texts(TEXT_CHARACTERS.result)],
  );
}

async function loadDay(client: pg.Client, { day, records }: DayLoad): Promise<void> {
  const partition = `call_record_${day.replaceAll('-', '')}`;
  const fromMs = Date.parse(`${day}T00:00:00Z`);
  const next = new Date(fromMs + DAY_MS).toISOString().slice(0, 10);
  const range = `'${day}T00:00:00Z'`;
  const end = `'${next}T00:00:00Z'`;
  // The service makes yesterday's before any record of it comes.
  await client.query(`DROP TABLE IF EXISTS ${partition}`);
  // Autovacuum would be in the way of the vacuum that ends the load.
  await client.query(
    `CREATE TABLE ${partition} (LIKE call_record INCLUDING DEFAULTS) WITH (autovacuum_enabled = false)`,
  );
  await client.query(INSERT(partition), [records, fromMs, DAY_MS / records, fromMs / DAY_MS]);
  for (const statement of [
    `ALTER TABLE ${partition} ADD PRIMARY KEY (occurred_at, record_id)`,
    `CREATE INDEX ON ${partition} (record_id)`,
    `CREATE INDEX ON ${partition} (principal_id, occurred_at DESC)`,
    `CREATE INDEX ON ${partition} (upstream, occurred_at DESC)`,
    `ALTER TABLE ${partition} ADD CONSTRAINT of_day CHECK (occurred_at >= ${range} AND occurred_at < ${end})`,
    `ALTER TABLE call_record ATTACH PARTITION ${partition} FOR VALUES FROM (${range}) TO (${end})`,
    `ALTER TABLE ${partition} DROP CONSTRAINT of_day`,
    // Under this name the service looks for the day's index of texts, which is not what is measured.
    `CREATE INDEX ${partition}_arguments ON ${partition} (record_id) WHERE false`,
    COUNT(partition),
    `VACUUM (ANALYZE) ${partition}`,
    `ALTER TABLE ${partition} RESET (autovacuum_enabled)`,
  ])
    await client.query(statement);
}

/** An even share of 0 to 1, the same for the same record and use. */
const share = (salt: number): string =>
  `((hashint8extended($4::bigint * 100000000 + i, ${salt}) & 1048575)::float8 / 1048576)`;
const { principals, upstreams, toolsPerUpstream, personalUpstreams } = POPULATION;

/** `$1` records from the millisecond `$2` on, `$3` ms apart, of the day number `$4`. */
const INSERT = (partition: string): string => `
INSERT INTO ${partition} (occurred_at, record_id, log, sequence, kind, decision, outcome, refusal_code, principal_id,
  principal_name, principal_email, agent_id, agent_name, virtual_server, upstream, tool, count, record)
WITH drawn AS MATERIALIZED (
  SELECT i, ($2::float8 + (i - 1) * $3::float8)::bigint AS at,
    md5(i::text || '/' || $4::text) AS hex, md5($4::text || '/' || i::text) AS trace,
    floor(${share(1)} * ${principals})::int AS principal, floor(${share(2)} * 2)::int AS machine,
    floor(${share(3)} ^ 2 * ${personalUpstreams})::int AS own, floor(${share(4)} ^ 2 * ${toolsPerUpstream})::int AS tool,
    floor(${share(5)} * ${TEXTS})::int AS page, ${share(6)} < 0.03 AS forbidden, floor(${share(7)} * 100000)::int AS number
  FROM generate_series(1, $1::int) AS i
),
named AS (
  SELECT d.*, b.arguments, b.result, 'usr_bench_' || lpad(principal::text, 5, '0') AS principal_id,
    'Bench Person ' || principal AS principal_name, 'person-' || principal || '@example.com' AS principal_email,
    'pat_bench_' || principal || '_' || machine AS agent_id, (ARRAY['laptop', 'workstation'])[machine + 1] AS agent_name,
    'team-' || principal % 40 AS team,
    'upstream-' || lpad((CASE WHEN own = 0 THEN 0 ELSE (principal * 7 + own * 5) % ${upstreams} END)::text, 2, '0') AS upstream,
    'tool_' || tool AS tool_name, lpad(to_hex(at), 12, '0') AS time
  FROM drawn d JOIN book b ON b.n = d.page
),
personal AS (
  SELECT n.*, (substr(time, 1, 8) || '-' || substr(time, 9) || '-7' || substr(hex, 1, 3) || '-8' || substr(hex, 4, 3) || '-'
      || substr(hex, 7, 12)) AS id,
    format('{"salt":"%s","principal":{"name":"%s","email":"%s"},"agent":{"name":"%s"},"claimed":{"name":"claude-code","version":"2.1.317"},"address":"10.%s.%s.7","arguments":{"bytes":200,"value":{"issue":%s,"query":%s,"dryRun":false}},"refusalDetail":%s,"result":%s}',
      substr(hex, 1, 22), principal_name, principal_email, agent_name, principal % 250, machine, number, arguments,
      CASE WHEN forbidden THEN '"default deny"' ELSE 'null' END,
      CASE WHEN forbidden THEN 'null' ELSE '{"bytes":230,"value":{"content":[{"type":"text","text":' || result || '}]}}' END
    ) AS personal
  FROM named n
)
SELECT to_timestamp(at / 1000.0), id::uuid, 'bench-' || $4::text || '/0', i, 'call',
  CASE WHEN forbidden THEN 'forbid' ELSE 'permit' END, CASE WHEN forbidden THEN 'failure' ELSE 'success' END,
  CASE WHEN forbidden THEN 'WDR_TOOL_UNKNOWN' END, principal_id, principal_name, principal_email, agent_id, agent_name,
  team, upstream, tool_name, 1,
  format('{"log":"bench-%s/0","sequence":%s,"index":%s,"commitment":"%s","schemaVersion":2,"recordId":"%s","kind":"call","occurredAtMs":%s,"node":"bench-1","principal":{"id":"%s","kind":"human","groups":["developers","%s"]},"actorChain":[],"agent":{"id":"%s","kind":"pat"},"verified":null,"traceId":"%s","method":"tools/call","protocolVersion":"2026-07-28","virtualServer":"%s","upstream":"%s","tool":"%s","exposedName":"%s__%s","definitionHash":"%s%s","policyVersion":7,"guardrailsVersion":3,"rule":%s,"capture":"full","decision":"%s","outcome":"%s","refusal":%s,"isError":false,"findings":[],"phasesUs":{"identify":3,"quota":1,"resolve":2,"authorize":4,"screenArguments":11,"credential":2,"record":6,"upstream":%s,"screenResult":17,"total":%s},"count":1,"personal":%s}',
    $4::text, i, i - 1, encode(sha256(convert_to(personal, 'UTF8')), 'hex'), id, at, principal_id, team, agent_id, trace, team,
    upstream, tool_name, upstream, tool_name, hex, trace, CASE WHEN forbidden THEN 'null' ELSE '"developers"' END,
    CASE WHEN forbidden THEN 'forbid' ELSE 'permit' END, CASE WHEN forbidden THEN 'failure' ELSE 'success' END,
    CASE WHEN forbidden THEN '{"code":"WDR_TOOL_UNKNOWN"}' ELSE 'null' END, 400 + number % 40000, 500 + number % 40000,
    personal)::json
FROM personal`;

/** Counts the day as the ingest would have. */
const COUNT = (partition: string): string => `
INSERT INTO usage_day (day, upstream, tool, principal_id, agent_id, principal_name, principal_email, agent_name,
  permitted, forbidden, first_at, last_at, sample_at, sample_id)
SELECT (occurred_at AT TIME ZONE 'UTC')::date, upstream, coalesce(tool, ''), coalesce(principal_id, ''),
  coalesce(agent_id, ''), max(principal_name), max(principal_email), max(agent_name),
  coalesce(sum(count) FILTER (WHERE decision = 'permit'), 0), coalesce(sum(count) FILTER (WHERE decision = 'forbid'), 0),
  min(occurred_at), max(occurred_at),
  coalesce((array_agg(occurred_at ORDER BY occurred_at DESC, record_id) FILTER (WHERE decision = 'permit'))[1:3], '{}'),
  coalesce((array_agg(record_id ORDER BY occurred_at DESC, record_id) FILTER (WHERE decision = 'permit'))[1:3], '{}')
FROM ${partition} WHERE kind = 'call' AND upstream IS NOT NULL GROUP BY 1, 2, 3, 4, 5`;
