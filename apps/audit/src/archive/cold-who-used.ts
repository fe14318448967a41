/** What tells one use from another, in the order of the answer. */
const KEY = 'upstream, tool, principal_id, agent_id';

/**
 * Who used what, counted from the archived records themselves, in the order of the roll-up: `$1` is the upstream, `$2`
 * the tool, null for any; where the page has one before it, `$3` to `$6` are the key behind which it begins. Each row
 * has the key and a use without its samples, as JSON texts, and the keys of up to three samples.
 */
export const coldWhoUsed = (files: string, limit: number, isBehind: boolean): string => `
SELECT CAST(json_array(${KEY}) AS VARCHAR) AS key, CAST(json_object(
  'agent', CASE WHEN agent_id = '' THEN NULL ELSE json_object('id', agent_id, 'name', agent_name) END,
  'human', CASE WHEN principal_id = '' THEN NULL
    ELSE json_object('id', principal_id, 'name', principal_name, 'email', principal_email) END,
  'upstream', upstream, 'tool', nullif(tool, ''), 'count', permitted, 'refused', forbidden,
  'firstAtMs', first_at, 'lastAtMs', last_at
) AS VARCHAR) AS head,
  CAST(to_json(list_transform(coalesce(samples, []), lambda s: {'id': s.id, 'atMs': s.at})) AS VARCHAR) AS keys
FROM (
  SELECT api.service.name AS upstream, coalesce(resources[1].name, '') AS tool,
    coalesce(actor.user.uid, '') AS principal_id, coalesce(actor.app_uid, '') AS agent_id,
    arg_max(actor.user.name, time) AS principal_name, arg_max(actor.user.email_addr, time) AS principal_email,
    arg_max(actor.app_name, time) AS agent_name,
    coalesce(sum(count) FILTER (WHERE unmapped.decision = 'permit'), 0)::BIGINT AS permitted,
    coalesce(sum(count) FILTER (WHERE unmapped.decision = 'forbid'), 0)::BIGINT AS forbidden,
    min(time) AS first_at, max(time) AS last_at,
    arg_max({'id': metadata.uid, 'at': time}, time, 3) FILTER (WHERE unmapped.decision = 'permit') AS samples
  FROM ${files}
  WHERE unmapped.kind = 'call' AND resources IS NOT NULL
    AND ($1::VARCHAR IS NULL OR api.service.name = $1) AND ($2::VARCHAR IS NULL OR resources[1].name = $2)
  GROUP BY 1, 2, 3, 4
)
WHERE permitted > 0${isBehind ? ` AND (${KEY}) > ($3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::VARCHAR)` : ''}
ORDER BY ${KEY}
LIMIT ${limit}`;
