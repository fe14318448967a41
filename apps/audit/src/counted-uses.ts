import type { AuditRecord } from '@warder/contracts';
import { dayOf } from './partition.store.js';
import type { RecordRow } from './store-batch.js';

/** Records that the roll-up names for a use. */
const SAMPLES = 3;

/** One use of a tool on one day, as the row of `usage_day` that its records come to. */
interface CountedUse {
  readonly day: string;
  readonly upstream: string;
  readonly tool: string;
  readonly principal_id: string;
  readonly agent_id: string;
  readonly records: AuditRecord[];
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
  for (const { record } of rows) {
    const { upstream } = record;
    if (record.kind !== 'call' || upstream === null) continue;
    const [tool, principal, agent] = [record.tool ?? '', record.principal?.id ?? '', record.agent?.id ?? ''];
    const day = Math.floor(record.occurredAtMs / 86_400_000);
    // No text of a record that is stored holds a NUL.
    const key = `${day}\0${upstream}\0${tool}\0${principal}\0${agent}`;
    const use = uses.get(key);
    if (use !== undefined) use.records.push(record);
    else
      uses.set(key, {
        day: dayOf(record.occurredAtMs),
        upstream,
        tool,
        principal_id: principal,
        agent_id: agent,
        records: [record],
      });
  }
  return JSON.stringify([...uses.values()].map(rowOf));
}

/** Permitted and forbidden calls are added as what stands in JSON: the sum of a batch is far below 2 to the 53. */
function rowOf({ records, ...use }: CountedUse): object {
  records.sort(newestFirst);
  const [newest] = records as [AuditRecord];
  const permitted = records.filter(({ decision }) => decision === 'permit');
  const samples = permitted.slice(0, SAMPLES);
  const countOf = (some: readonly AuditRecord[]): number => some.reduce((sum, { count }) => sum + count, 0);
  return {
    ...use,
    principal_name: newest.personal?.principal?.name,
    principal_email: newest.personal?.principal?.email,
    agent_name: newest.personal?.agent?.name,
    permitted: countOf(permitted),
    forbidden: countOf(records) - countOf(permitted),
    first_at: timeOf(records.at(-1)!),
    last_at: timeOf(newest),
    sample_at: samples.map(timeOf),
    sample_id: samples.map(({ recordId }) => recordId),
  };
}

const timeOf = ({ occurredAtMs }: AuditRecord): string => new Date(occurredAtMs).toISOString();

/** As Postgres orders them: ids of one time by their bytes, in which letters of either case are the same. */
function newestFirst(one: AuditRecord, other: AuditRecord): number {
  if (one.occurredAtMs !== other.occurredAtMs) return other.occurredAtMs - one.occurredAtMs;
  return one.recordId.toLowerCase() < other.recordId.toLowerCase() ? -1 : 1;
}
