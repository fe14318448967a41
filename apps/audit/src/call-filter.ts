import type { AuditCallsQuery } from '@warder/contracts';
import { decodeCursor } from './page-cursor.js';
import { ARGUMENTS_TEXT } from './text-index.store.js';

/** A condition of SQL and its parameters. */
export interface CallFilter {
  readonly where: string;
  readonly parameters: readonly unknown[];
}

/**
 * What a query asks of a record. Parts of arguments are looked for in their JSON text, so the wanted text is written
 * as it stands there.
 * @throws AdminError 400 WDR_BODY_INVALID for a cursor that no page gave
 */
export function callFilter(query: AuditCallsQuery): CallFilter {
  const parameters: unknown[] = [];
  const conditions: string[] = [];
  const add = (value: unknown, condition: (parameter: string) => string): void => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(condition(`$${parameters.length}`));
  };
  const equals = (column: string, value: string | undefined): void => add(value, (p) => `${column} = ${p}`);
  add(query.from, (p) => `occurred_at >= ${p}::timestamptz`);
  add(query.to, (p) => `occurred_at < ${p}::timestamptz`);
  add(query.human, (p) => `(principal_id = ${p} OR lower(principal_email) = lower(${p}) OR principal_name = ${p})`);
  add(query.agent, (p) => `(agent_id = ${p} OR agent_name = ${p})`);
  equals('virtual_server', query.virtualServer);
  equals('upstream', query.upstream);
  equals('tool', query.tool);
  equals('decision', query.decision);
  equals('outcome', query.outcome);
  equals('kind', query.kind);
  equals('refusal_code', query.code);
  add(query.text === undefined ? undefined : patternOf(query.text), (p) => `${ARGUMENTS_TEXT} ILIKE ${p}`);
  if (query.cursor !== undefined) {
    const { at, id } = decodeCursor(query.cursor);
    parameters.push(at, id);
    const [atParameter, idParameter] = [`$${parameters.length - 1}`, `$${parameters.length}`];
    conditions.push(`(occurred_at, record_id) < (${atParameter}::timestamptz, ${idParameter}::uuid)`);
  }
  return { where: conditions.length === 0 ? 'true' : conditions.join(' AND '), parameters };
}

function patternOf(text: string): string {
  const inJson = JSON.stringify(text).slice(1, -1);
  return `%${inJson.replaceAll(/[\\%_]/g, '\\$&')}%`;
}
