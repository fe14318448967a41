/**
 * Who used what since the day $1, of the upstream $2 and the tool $3 where given, $4 rows at most
 * behind the first $5. The roll-up finds
 * and counts; only the samples of the rows that are answered are read from the records. Each row has a use without its
 * samples, as JSON text, and the keys and texts of up to three samples.
 */
export const WHO_USED = `
WITH uses AS (
  SELECT upstream, tool, principal_id, agent_id,
    (array_agg(principal_name ORDER BY last_at DESC))[1] AS principal_name,
    (array_agg(principal_email ORDER BY last_at DESC))[1] AS principal_email,
    (array_agg(agent_name ORDER BY last_at DESC))[1] AS agent_name,
    sum(permitted) AS permitted, sum(forbidden) AS forbidden, min(first_at) AS first_at, max(last_at) AS last_at
  FROM usage_day
  WHERE day >= $1::date AND ($2::text IS NULL OR upstream = $2) AND ($3::text IS NULL OR tool = $3)
  GROUP BY upstream, tool, principal_id, agent_id
  HAVING sum(permitted) > 0
  ORDER BY permitted DESC, upstream, tool, principal_id, agent_id
  LIMIT $4 OFFSET $5
)
SELECT json_build_object(
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
  -- A record that has left Postgres is told by its key alone.
  SELECT coalesce(json_agg(json_build_object('id', key.id, 'atMs', (extract(epoch FROM key.at) * 1000)::float8,
    'text', (SELECT r.record::text FROM call_record r WHERE r.occurred_at = key.at AND r.record_id = key.id)
  ) ORDER BY key.at DESC), '[]'::json)
  FROM (
    SELECT k.at, k.id FROM usage_day d, unnest(d.sample_at, d.sample_id) AS k(at, id)
    WHERE d.upstream = uses.upstream AND d.tool = uses.tool AND d.principal_id = uses.principal_id
      AND d.agent_id = uses.agent_id AND d.day >= $1::date
    ORDER BY k.at DESC LIMIT 3
  ) key
)::text AS keys FROM uses ORDER BY permitted DESC, upstream, tool, principal_id, agent_id`;
