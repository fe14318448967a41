import type { AuditCallsQuery } from '@warder/contracts';
import { decodeCursor } from '../page-cursor.js';

/** A condition of DuckDB's SQL over the archive's columns, and its parameters. */
export interface ColdFilter {
  readonly where: string;
  readonly parameters: readonly (string | bigint)[];
}

/**
 * What a query asks of an archived record, as `callFilter` asks it of a stored one.
 * @throws AdminError 400 WDR_BODY_INVALID for a cursor that no page gave
 */
export function coldFilter(query: AuditCallsQuery): ColdFilter {
  const parameters: (string | bigint)[] = [];
  const conditions: string[] = [];
  const add = (value: string | bigint | undefined, condition: (parameter: string) => string): void => {
    if (value === undefined) return;
    parameters.push(value);
    conditions.push(condition(`$${parameters.length}`));
  };
  const equals = (column: string, value: string | undefined): void => add(value, (p) => `${column} = ${p}`);
  add(msOf(query.from), (p) => `time >= ${p}`);
  add(msOf(query.to), (p) => `time < ${p}`);
  add(
    query.human,
    (p) => `(actor.user.uid = ${p} OR lower(actor.user.email_addr) = lower(${p}) OR actor.user.name = ${p})`,
  );
  add(query.agent, (p) => `(actor.app_uid = ${p} OR actor.app_name = ${p})`);
  equals('unmapped.virtual_server', query.virtualServer);
  equals('coalesce(api.service.name, unmapped.upstream)', query.upstream);
  equals('coalesce(resources[1].name, unmapped.tool)', query.tool);
  equals('unmapped.decision', query.decision);
  equals('unmapped.outcome', query.outcome);
  equals('unmapped.kind', query.kind);
  equals('status_code', query.code);
  add(query.text === undefined ? undefined : JSON.stringify(query.text).slice(1, -1), (p) => {
    return `contains(lower(CAST(coalesce(api.request.data, unmapped.arguments.data) AS VARCHAR)), lower(${p}))`;
  });
  if (query.cursor !== undefined) {
    const { at, id } = decodeCursor(query.cursor);
    parameters.push(BigInt(Date.parse(at)), id);
    const [atParameter, idParameter] = [`$${parameters.length - 1}`, `$${parameters.length}`];
    conditions.push(`(time < ${atParameter} OR (time = ${atParameter} AND metadata.uid < ${idParameter}))`);
  }
  return { where: conditions.length === 0 ? 'true' : conditions.join(' AND '), parameters };
}

function msOf(time: string | undefined): bigint | undefined {
  return time === undefined ? undefined : BigInt(Date.parse(time));
}
