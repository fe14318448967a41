import pg from 'pg';
import { keyOf, type UseLine } from './compared-uses.js';

/** Counting goes day by day, two at a time, for there are two CPUs. */
const COUNTERS = 2;

/**
 * Who used the upstream since the day, counted from the texts alone of the records in Postgres: neither the roll-up nor
 * a column beside the text is believed. Those are included who were only refused.
 * @param fromDay - `YYYY-MM-DD`
 */
export async function countUses(url: string, upstream: string, fromDay: string): Promise<UseLine[]> {
  const partitions = await partitionsOf(url);
  const found: UseLine[] = [];
  const count = async (): Promise<void> => {
    const client = new pg.Client({ connectionString: url, options: '-c search_path=audit' });
    await client.connect();
    try {
      for (let name = partitions.pop(); name !== undefined; name = partitions.pop()) {
        const { rows } = await client.query<{ line: UseLine }>(COUNT(name), [
          `%"upstream":${JSON.stringify(upstream)}%`,
          upstream,
          Date.parse(`${fromDay}T00:00:00Z`),
        ]);
        found.push(...rows.map(({ line }) => line));
      }
    } finally {
      await client.end();
    }
  };
  await Promise.all(Array.from({ length: COUNTERS }, count));
  return joinedUses(found);
}

/** One line for each use, of those that several days or stores counted. */
export function joinedUses(lines: readonly UseLine[]): UseLine[] {
  const uses = new Map<string, UseLine>();
  for (const line of lines) uses.set(keyOf(line), joined(uses.get(keyOf(line)), line));
  return [...uses.values()];
}

async function partitionsOf(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=audit' });
  await client.connect();
  const { rows } = await client.query<{ name: string }>(
    `SELECT relid::text AS name FROM pg_partition_tree('call_record') WHERE isleaf ORDER BY 1`,
  );
  await client.end();
  return rows.map(({ name }) => name);
}

/** `$1` finds texts that may be of the upstream `$2`, before they are read; `$3` is the first millisecond. */
const COUNT = (partition: string): string => `
SELECT json_build_object('agent', (array_agg(agent ORDER BY at DESC))[1],
  'human', (array_agg(human ORDER BY at DESC))[1], 'upstream', $2::text, 'tool', min(tool),
  'count', coalesce(sum(count) FILTER (WHERE decision = 'permit'), 0),
  'refused', coalesce(sum(count) FILTER (WHERE decision = 'forbid'), 0),
  'firstAtMs', min(at), 'lastAtMs', max(at)) AS line
FROM (
  SELECT json_build_array(r.tool, r.principal->>'id', r.agent->>'id')::text AS key, r.tool, r.decision, r.count,
    r."occurredAtMs" AS at,
    CASE WHEN r.agent->>'id' IS NOT NULL
      THEN json_build_object('id', r.agent->>'id', 'name', r.personal->'agent'->>'name') END AS agent,
    CASE WHEN r.principal->>'id' IS NOT NULL
      THEN json_build_object('id', r.principal->>'id', 'name', r.personal->'principal'->>'name',
        'email', r.personal->'principal'->>'email') END AS human
  FROM ${partition}, json_to_record(record) AS r(kind text, upstream text, tool text, decision text, count int,
    "occurredAtMs" bigint, principal json, agent json, personal json)
  WHERE record::text LIKE $1 AND r.kind = 'call' AND r.upstream = $2 AND r."occurredAtMs" >= $3
) records
GROUP BY key`;

function joined(one: UseLine | undefined, other: UseLine): UseLine {
  if (one === undefined) return other;
  const newer = one.lastAtMs >= other.lastAtMs ? one : other;
  return {
    ...newer,
    count: one.count + other.count,
    refused: one.refused + other.refused,
    firstAtMs: Math.min(one.firstAtMs, other.firstAtMs),
  };
}
