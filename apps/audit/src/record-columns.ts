import type { AuditRecord } from '@warder/contracts';

type Text = string | null | undefined;

/**
 * What of a record stands beside its text, by which queries filter. It is all that is kept of a record that was read until
 * it is stored: the record itself is some hundred objects, and thousands of them that wait for a transaction would be
 * copied about by the collector.
 */
export interface RecordColumns {
  readonly occurredAtMs: number;
  readonly recordId: string;
  readonly log: string;
  readonly sequence: number;
  readonly kind: string;
  readonly decision: string;
  readonly outcome: string;
  readonly refusalCode: Text;
  readonly principalId: Text;
  readonly principalName: Text;
  readonly principalEmail: Text;
  readonly agentId: Text;
  readonly agentName: Text;
  readonly virtualServer: Text;
  readonly upstream: Text;
  readonly tool: Text;
  readonly count: number;
}

/** @param record - as it was read */
export function columnsOf(record: AuditRecord): RecordColumns {
  const { principal, agent, personal } = record;
  return {
    occurredAtMs: record.occurredAtMs,
    recordId: record.recordId,
    log: record.log,
    sequence: record.sequence,
    kind: record.kind,
    decision: record.decision,
    outcome: record.outcome,
    refusalCode: record.refusal?.code,
    principalId: principal?.id,
    principalName: personal?.principal?.name,
    principalEmail: personal?.principal?.email,
    agentId: agent?.id,
    agentName: personal?.agent?.name,
    virtualServer: record.virtualServer,
    upstream: record.upstream,
    tool: record.tool,
    count: record.count,
  };
}
