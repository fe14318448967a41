/**
 * Stores a batch and counts it, in one statement: what was stored before is neither stored nor counted again, so a batch
 * may be sent any number of times. $1 is a JSON array of the records' columns, $2 their exact texts in the same
 * order. Answers `stored`.
 *
 * The columns come apart from the texts because the service has read the records already: Postgres tests that a text is
 * JSON as it comes, and does not take it apart.
 */
export const INSERT_RECORDS = `
WITH incoming AS (
  SELECT to_timestamp(occurred_at_ms / 1000.0) AS occurred_at, record_id, log, sequence, kind, decision, outcome,
    refusal_code, principal_id, principal_name, principal_email, agent_id, agent_name, virtual_server, upstream, tool,
    count, record
  FROM ROWS FROM (
    json_to_recordset($1::json) AS ("occurredAtMs" numeric, "recordId" uuid, log text, sequence bigint, kind text,
      decision text, outcome text, "refusalCode" text, "principalId" text, "principalName" text, "principalEmail" text,
      "agentId" text, "agentName" text, "virtualServer" text, upstream text, tool text, count int),
    unnest($2::json[])
  ) AS x(occurred_at_ms, record_id, log, sequence, kind, decision, outcome, refusal_code, principal_id, principal_name,
    principal_email, agent_id, agent_name, virtual_server, upstream, tool, count, record)
),
stored AS (
  INSERT INTO call_record (occurred_at, record_id, log, sequence, kind, decision, outcome, refusal_code, principal_id,
    principal_name, principal_email, agent_id, agent_name, virtual_server, upstream, tool, count, record)
  SELECT * FROM incoming
  ON CONFLICT DO NOTHING
  -- Without the texts, which would be copied.
  RETURNING occurred_at, record_id, kind, decision, principal_id, principal_name, principal_email, agent_id, agent_name,
    upstream, tool, count
),
used AS (
  SELECT (occurred_at AT TIME ZONE 'UTC')::date AS day, upstream, coalesce(tool, '') AS tool,
    coalesce(principal_id, '') AS principal_id, coalesce(agent_id, '') AS agent_id,
    -- One order for all, so that one sort serves them.
    (array_agg(principal_name ORDER BY occurred_at DESC, record_id))[1] AS principal_name,
    (array_agg(principal_email ORDER BY occurred_at DESC, record_id))[1] AS principal_email,
    (array_agg(agent_name ORDER BY occurred_at DESC, record_id))[1] AS agent_name,
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
)
SELECT count(*)::int AS stored FROM stored`;
