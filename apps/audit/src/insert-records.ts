/**
 * Stores a batch, JSON text of an array of records, and counts it, in one statement: what was stored before is neither
 * stored nor counted again, so a batch may be sent any number of times. Answers `stored`.
 */
export const INSERT_RECORDS = `
WITH incoming AS (
  SELECT to_timestamp(x."occurredAtMs" / 1000.0) AS occurred_at, x."recordId" AS record_id, x.log, x.sequence, x.kind,
    x.decision, x.outcome, x.refusal->>'code' AS refusal_code,
    x.principal->>'id' AS principal_id, p.principal->>'name' AS principal_name, p.principal->>'email' AS principal_email,
    x.agent->>'id' AS agent_id, p.agent->>'name' AS agent_name,
    x."virtualServer" AS virtual_server, x.upstream, x.tool, x.count, element.record
  FROM json_array_elements($1::json) AS element(record),
    json_to_record(element.record) AS x("occurredAtMs" numeric, "recordId" uuid, log text, sequence bigint, kind text,
      decision text, outcome text, refusal json, principal json, agent json, "virtualServer" text, upstream text,
      tool text, count int, personal json),
    -- Read once: each -> would go through arguments and result again.
    json_to_record(x.personal) AS p(principal json, agent json)
),
stored AS (
  INSERT INTO call_record (occurred_at, record_id, log, sequence, kind, decision, outcome, refusal_code, principal_id,
    principal_name, principal_email, agent_id, agent_name, virtual_server, upstream, tool, count, record)
  SELECT * FROM incoming
  ON CONFLICT DO NOTHING
  RETURNING *
),
used AS (
  SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, upstream, coalesce(tool, '') AS tool,
    coalesce(principal_id, '') AS principal_id, coalesce(agent_id, '') AS agent_id,
    (array_agg(principal_name ORDER BY occurred_at DESC))[1] AS principal_name,
    (array_agg(principal_email ORDER BY occurred_at DESC))[1] AS principal_email,
    (array_agg(agent_name ORDER BY occurred_at DESC))[1] AS agent_name,
    coalesce(sum(count) FILTER (WHERE decision = 'permit'), 0) AS permitted,
    coalesce(sum(count) FILTER (WHERE decision = 'forbid'), 0) AS forbidden,
    min(occurred_at) AS first_at, max(occurred_at) AS last_at,
    coalesce((array_agg(occurred_at ORDER BY occurred_at DESC, record_id)
      FILTER (WHERE decision = 'permit'))[1:3], '{}') AS sample_at,
    coalesce((array_agg(record_id ORDER BY occurred_at DESC, record_id)
      FILTER (WHERE decision = 'permit'))[1:3], '{}') AS sample_id
  FROM stored WHERE kind = 'call' AND upstream IS NOT NULL
  GROUP BY 1, 2, 3, 4, 5
),
by_day AS (
  INSERT INTO usage_day AS u (day, upstream, tool, principal_id, agent_id, principal_name, principal_email, agent_name,
    permitted, forbidden, first_at, last_at, sample_at, sample_id)
  -- One order for all writers, so that two of them never wait for each other in a circle.
  SELECT * FROM used ORDER BY upstream, tool, principal_id, agent_id, day
  ON CONFLICT (upstream, tool, principal_id, agent_id, day) DO UPDATE SET
    principal_name = excluded.principal_name, principal_email = excluded.principal_email,
    agent_name = excluded.agent_name,
    permitted = u.permitted + excluded.permitted, forbidden = u.forbidden + excluded.forbidden,
    first_at = least(u.first_at, excluded.first_at), last_at = greatest(u.last_at, excluded.last_at),
    sample_at = (excluded.sample_at || u.sample_at)[1:3], sample_id = (excluded.sample_id || u.sample_id)[1:3]
),
seen AS (
  INSERT INTO usage_seen AS s (upstream, tool, principal_id, agent_id, calls, first_at, last_at)
  SELECT upstream, tool, principal_id, agent_id, sum(permitted), min(first_at), max(last_at)
  FROM used WHERE permitted > 0 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (upstream, tool, principal_id, agent_id) DO UPDATE SET calls = s.calls + excluded.calls,
    first_at = least(s.first_at, excluded.first_at), last_at = greatest(s.last_at, excluded.last_at)
)
SELECT count(*)::int AS stored FROM stored`;
