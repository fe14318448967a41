import { calledInChange } from './erase-hot.store.js';
import { type Duck, quoted } from './duck.js';
import { texts } from './part-writer.js';
import { type Called, needlesOf, type Subject } from './subject-names.js';

const HAS_PERSONAL = `NOT ends_with(raw_data, ',"personal":null}')`;
const OWN_ID = `TRY(raw_data->>'$.principal.id')`;

/** Whether a record of these files that still has personal bytes is the subject's, or may name it. */
export async function isNamedInFiles(duck: Duck, paths: readonly string[], subject: Subject): Promise<boolean> {
  const found = await duck.rows(
    `SELECT 1 FROM ${filesOf(paths)}
     WHERE ${HAS_PERSONAL} AND (${ownOf(subject.id)} OR ${changeThatHolds(needlesOf(subject))}) LIMIT 1`,
  );
  return found.length > 0;
}

/** How these files have the subject called: in its own records, and in what was done to it. */
export async function calledInFiles(duck: Duck, paths: readonly string[], id: string): Promise<Called[]> {
  const own = await duck.rows(
    `SELECT DISTINCT raw_data->>'$.personal.principal.name', raw_data->>'$.personal.principal.email'
     FROM ${filesOf(paths)} WHERE ${HAS_PERSONAL} AND ${ownOf(id)}`,
  );
  const called: Called[] = own.map(([name, email]) => ({ name, email }));
  const changes = `SELECT raw_data FROM ${filesOf(paths)} WHERE ${HAS_PERSONAL} AND ${changeThatHolds([JSON.stringify(id)])}`;
  for await (const text of texts(duck, changes)) called.push(...calledInChange(text, id));
  return called;
}

function ownOf(id: string): string {
  return `(contains(raw_data, ${quoted(JSON.stringify(id))}) AND ${OWN_ID} = ${quoted(id)})`;
}

function changeThatHolds(needles: readonly string[]): string {
  const holds = needles.map((needle) => `contains(lower(raw_data), lower(${quoted(needle)}))`);
  return `(starts_with(metadata.log_name, 'admin/') AND (${holds.join(' OR ')}))`;
}

function filesOf(paths: readonly string[]): string {
  return `read_parquet([${paths.map(quoted).join(', ')}], union_by_name = true)`;
}
