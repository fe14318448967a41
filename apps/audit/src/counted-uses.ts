import { dayOf } from './partition.store.js';
import type { RecordColumns } from './record-columns.js';
import type { RecordRow } from './store-batch.js';

/** Records that the roll-up names for a use. */
const SAMPLES = 3;
const DAY_MS = 86_400_000;

/** One use of a tool on one day. */
interface CountedUse {
  /** Calls: what stands in JSON, for the sum of a batch is far below 2 to the 53. */
  permitted: number;
  forbidden: number;
  newest: RecordColumns;
  firstAtMs: number;
  /** The newest permitted ones, newest first. */
  readonly samples: RecordColumns[];
}

/**
 * Adds what was counted here to the roll-up; $1 is what `countedUses` gives. As in the statement that passes over what is
 * stored, rows come in one order, so that two writers never wait for each other in a circle.
 */
export const ADD_USES = `
INSERT INTO usage_day AS u (day, upstream, tool, principal_id, agent_id, principal_name, principal_email, agent_name,
  permitted, forbidden, first_at, last_at, sample_at, sample_id)
SELECT day, upstream, tool, principal_id, agent_id, principal_name, principal_email, agent_name, permitted, forbidden,
  first_at, last_at, sample_at, sample_id
FROM json_to_recordset($1::json) AS x(day date, upstream text, tool text, principal_id text, agent_id text,
  principal_name text, principal_email text, agent_name text, permitted bigint, forbidden bigint, first_at timestamptz,
  last_at timestamptz, sample_at timestamptz[], sample_id uuid[])
ORDER BY upstream, tool, principal_id, agent_id, day
ON CONFLICT (upstream, tool, principal_id, agent_id, day) DO UPDATE SET
  principal_name = excluded.principal_name, principal_email = excluded.principal_email,
  agent_name = excluded.agent_name,
  permitted = u.permitted + excluded.permitted, forbidden = u.forbidden + excluded.forbidden,
  first_at = least(u.first_at, excluded.first_at), last_at = greatest(u.last_at, excluded.last_at),
  sample_at = (excluded.sample_at || u.sample_at)[1:3], sample_id = (excluded.sample_id || u.sample_id)[1:3]`;

/** The uses of rows that are all new and plain, as JSON; the same as `INSERT_RECORDS` makes of them. */
export function countedUses(rows: readonly RecordRow[]): string {
  const uses = new Map<string, CountedUse>();
  for (const { columns } of rows) {
    const { kind, upstream, occurredAtMs } = columns;
    if (kind !== 'call' || upstream === null) continue;
    // No text of a record that is stored holds a NUL.
    const key = `${Math.floor(occurredAtMs / DAY_MS)}\0${upstream}\0${columns.tool ?? ''}\0${columns.principalId ?? ''}\0${columns.agentId ?? ''}`;
    let use = uses.get(key);
    if (use === undefined) {
      use = { permitted: 0, forbidden: 0, newest: columns, firstAtMs: occurredAtMs, samples: [] };
      uses.set(key, use);
    }
    count(use, columns);
  }
  return JSON.stringify([...uses.values()].map(rowOf));
}

function count(use: CountedUse, columns: RecordColumns): void {
  if (isNewer(columns, use.newest)) use.newest = columns;
  if (columns.occurredAtMs < use.firstAtMs) use.firstAtMs = columns.occurredAtMs;
  if (columns.decision === 'permit') {
    use.permitted += columns.count;
    takeSample(use.samples, columns);
  } else use.forbidden += columns.count;
}

function takeSample(samples: RecordColumns[], columns: RecordColumns): void {
  let at = samples.length;
  while (at > 0 && isNewer(columns, samples[at - 1]!)) at -= 1;
  if (at === SAMPLES) return;
  samples.splice(at, 0, columns);
  if (samples.length > SAMPLES) samples.pop();
}

/** The row of `usage_day`. */
function rowOf({ permitted, forbidden, newest, firstAtMs, samples }: CountedUse): object {
  return {
    day: dayOf(newest.occurredAtMs),
    upstream: newest.upstream,
    tool: newest.tool ?? '',
    principal_id: newest.principalId ?? '',
    agent_id: newest.agentId ?? '',
    principal_name: newest.principalName,
    principal_email: newest.principalEmail,
    agent_name: newest.agentName,
    permitted,
    forbidden,
    first_at: timeOf(firstAtMs),
    last_at: timeOf(newest.occurredAtMs),
    sample_at: samples.map(({ occurredAtMs }) => timeOf(occurredAtMs)),
    sample_id: samples.map(({ recordId }) => recordId),
  };
}

const timeOf = (atMs: number): string => new Date(atMs).toISOString();

/** As Postgres orders them: ids of one time by their bytes, in which letters of either case are the same. */
function isNewer(one: RecordColumns, other: RecordColumns): boolean {
  if (one.occurredAtMs !== other.occurredAtMs) return one.occurredAtMs > other.occurredAtMs;
  return one.recordId.toLowerCase() < other.recordId.toLowerCase();
}
