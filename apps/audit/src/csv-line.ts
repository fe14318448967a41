import type { AuditRecord } from '@warder/contracts';

/** Columns of the CSV export, in their order. */
export const CSV_COLUMNS = [
  'occurredAt',
  'recordId',
  'log',
  'sequence',
  'kind',
  'method',
  'principalId',
  'principalName',
  'principalEmail',
  'agentId',
  'agentName',
  'address',
  'virtualServer',
  'upstream',
  'tool',
  'decision',
  'outcome',
  'refusalCode',
  'refusalDetail',
  'isError',
  'rule',
  'policyVersion',
  'findings',
  'totalUs',
  'arguments',
  'result',
  'count',
] as const;

type Cell = string | number | boolean | null | undefined;

/** The first line. */
export const CSV_HEAD = `${CSV_COLUMNS.join(',')}\r\n`;

/**
 * A record as a line of CSV (RFC 4180).
 * @param stringify - writes values as JSON, numbers to the digit
 */
export function csvLine(record: AuditRecord, stringify: (value: unknown) => string): string {
  const { personal, principal, agent } = record;
  const values: Record<(typeof CSV_COLUMNS)[number], Cell> = {
    occurredAt: new Date(record.occurredAtMs).toISOString(),
    recordId: record.recordId,
    log: record.log,
    sequence: record.sequence,
    kind: record.kind,
    method: record.method,
    principalId: principal?.id,
    principalName: personal?.principal?.name,
    principalEmail: personal?.principal?.email,
    agentId: agent?.id,
    agentName: personal?.agent?.name,
    address: personal?.address,
    virtualServer: record.virtualServer,
    upstream: record.upstream,
    tool: record.tool,
    decision: record.decision,
    outcome: record.outcome,
    refusalCode: record.refusal?.code,
    refusalDetail: personal?.refusalDetail,
    isError: record.isError,
    rule: record.rule,
    policyVersion: record.policyVersion,
    findings: record.findings.length === 0 ? undefined : stringify(record.findings),
    totalUs: record.phasesUs.total,
    arguments: personal?.arguments ? stringify(personal.arguments) : undefined,
    result: personal?.result ? stringify(personal.result) : undefined,
    count: record.count,
  };
  return `${CSV_COLUMNS.map((column) => cell(values[column])).join(',')}\r\n`;
}

function cell(value: Cell): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  // A spreadsheet runs a cell that begins so as a formula, and what stands here came from agents and upstreams.
  const harmless = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n']/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
