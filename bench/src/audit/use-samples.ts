import pg from 'pg';
import { isDeepStrictEqual } from 'node:util';
import type { AnsweredUse } from './asked-uses.js';

const KEYS_AT_ONCE = 3_000;
/** What a line tells of its records at most. */
const SAMPLES_MAX = 3;

/** Where a sample's record lies. */
export interface SampleKey {
  readonly recordId: string;
  readonly occurredAtMs: number;
}

interface SampledRecord {
  readonly recordId: string;
  readonly upstream: string;
  readonly tool: string;
  readonly decision: string;
  readonly principal: { readonly id: string } | null;
  readonly agent: { readonly id: string } | null;
  readonly personal: { readonly arguments: unknown } | null;
}

/**
 * Samples that are not records of their line, or not with these arguments, and lines with too few; a sentence each.
 * @param textsOf - the records' texts, in any order
 */
export async function wrongSamples(
  uses: readonly AnsweredUse[],
  textsOf: (keys: readonly SampleKey[]) => Promise<readonly string[]>,
): Promise<string[]> {
  const texts = await textsOf(uses.flatMap(({ samples }) => samples));
  const parsed = texts.map((text) => JSON.parse(text) as SampledRecord);
  const records = new Map(parsed.map((record) => [record.recordId, record]));
  return uses.flatMap((use) => wrongOf(use, records));
}

/** Texts of the records that Postgres holds. */
export async function storedTexts(url: string, keys: readonly SampleKey[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=audit' });
  await client.connect();
  try {
    const texts: string[] = [];
    for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
      const { rows } = await client.query<{ text: string }>(
        `SELECT r.record::text AS text FROM json_to_recordset($1::json) AS k("recordId" uuid, "occurredAtMs" numeric)
         JOIN LATERAL (
           SELECT record FROM call_record
           WHERE occurred_at = to_timestamp(k."occurredAtMs" / 1000.0) AND record_id = k."recordId" LIMIT 1
         ) r ON true`,
        [JSON.stringify(keys.slice(from, from + KEYS_AT_ONCE))],
      );
      texts.push(...rows.map(({ text }) => text));
    }
    return texts;
  } finally {
    await client.end();
  }
}

function wrongOf(use: AnsweredUse, records: ReadonlyMap<string, SampledRecord>): string[] {
  const name = `${use.upstream}/${use.tool} of ${use.agent?.id}`;
  const few = Math.min(SAMPLES_MAX, use.count);
  const wrong = use.samples.length === few ? [] : [`${name} has ${use.samples.length} samples and not ${few}`];
  for (const { recordId, arguments: told } of use.samples) {
    const record = records.get(recordId);
    const isOwn =
      record?.upstream === use.upstream &&
      record.tool === use.tool &&
      record.decision === 'permit' &&
      record.principal?.id === use.human?.id &&
      record.agent?.id === use.agent?.id;
    if (!isOwn) wrong.push(`${name} has the sample ${recordId}, which is no record of it`);
    else if (!isDeepStrictEqual(record.personal?.arguments, told)) wrong.push(`${recordId} has other arguments`);
  }
  return wrong;
}
