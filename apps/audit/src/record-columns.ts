import type { AuditRecord } from '@warder/contracts';

/** What of a record stands beside its text, by which queries filter, under the names of the columns. */
export function columnsOf(record: AuditRecord): object {
  const { principal, agent, personal } = record;
  return {
    occurred_at_ms: record.occurredAtMs,
    record_id: record.recordId,
    log: record.log,
    sequence: record.sequence,
    kind: record.kind,
    decision: record.decision,
    outcome: record.outcome,
    refusal_code: record.refusal?.code,
    principal_id: principal?.id,
    principal_name: personal?.principal?.name,
    principal_email: personal?.principal?.email,
    agent_id: agent?.id,
    agent_name: personal?.agent?.name,
    virtual_server: record.virtualServer,
    upstream: record.upstream,
    tool: record.tool,
    count: record.count,
  };
}
