import type { WhoUsedQuery } from '@warder/contracts';
import type { UseCursor } from './use-cursor.js';

/** What tells one use from another, in the order of the answer and of the roll-up's primary key. */
const KEY = 'upstream, tool, principal_id, agent_id';

/**
 * Who used what since the cursor's day, behind its key, one more than the page holds. Only the roll-up is read, in the
 * order of its primary key, so a page costs its own lines and not those of the others, and the statement names no
 * records: to plan over every day's partition costs more than to read the samples. Each row has the key, a use without
 * its samples, as JSON text, and the keys of up to three samples.
 */
export function whoUsedStatement(query: WhoUsedQuery, { from, after }: UseCursor): [sql: string, values: unknown[]] {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${values.push(value)}`;
  const since = `day >= ${bind(from)}::date`;
  const wanted = [since];
  if (query.upstream !== undefined) wanted.push(`upstream = ${bind(query.upstream)}`);
  if (query.tool !== undefined) wanted.push(`tool = ${bind(query.tool)}`);
  if (after !== undefined) wanted.push(`(${KEY}) > (${after.map((part) => bind(part)).join(', ')})`);
  const sameUse = `d.upstream = uses.upstream AND d.tool = uses.tool
      AND d.principal_id = uses.principal_id AND d.agent_id = uses.agent_id`;
  const sql = `
WITH uses AS (
  SELECT ${KEY}, sum(permitted) AS permitted, sum(forbidden) AS forbidden,
    min(first_at) AS first_at, max(last_at) AS last_at, max(day) AS last_day
  FROM usage_day
  WHERE ${wanted.join(' AND ')}
  GROUP BY ${KEY}
  HAVING sum(permitted) > 0
  ORDER BY ${KEY}
  LIMIT ${bind(query.limit + 1)}
)
SELECT ARRAY[${KEY}] AS key, json_build_object(
  'agent', CASE WHEN agent_id = '' THEN NULL ELSE json_build_object('id', agent_id, 'name', agent_name) END,
  'human', CASE WHEN principal_id = '' THEN NULL
    ELSE json_build_object('id', principal_id, 'name', principal_name, 'email', principal_email) END,
  'upstream', upstream,
  'tool', nullif(tool, ''),
  'count', permitted,
  'refused', forbidden,
  'firstAtMs', floor(extract(epoch FROM first_at) * 1000),
  'lastAtMs', floor(extract(epoch FROM last_at) * 1000)
)::text AS head, (
  SELECT coalesce(json_agg(json_build_object('id', key.id, 'atMs', (extract(epoch FROM key.at) * 1000)::float8)
    ORDER BY key.at DESC), '[]'::json)
  FROM (
    SELECT k.at, k.id FROM usage_day d, unnest(d.sample_at, d.sample_id) AS k(at, id)
    WHERE ${sameUse} AND d.${since}
    ORDER BY d.day DESC, k.at DESC LIMIT 3
  ) key
)::text AS keys
FROM uses CROSS JOIN LATERAL (
  -- Names as of the last day, of the many that a use may have been counted under.
  SELECT d.principal_name, d.principal_email, d.agent_name FROM usage_day d WHERE ${sameUse} AND d.day = uses.last_day
) named
ORDER BY ${KEY}`;
  return [sql, values];
}
