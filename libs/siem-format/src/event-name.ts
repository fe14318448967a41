import type { AuditRecord } from '@warder/contracts';

const NAMES: Record<AuditRecord['kind'], string> = {
  call: 'Tool call',
  list: 'Tool list',
  session: 'Session',
  authentication: 'Authentication',
  protocol: 'Protocol message',
  admin: 'Administration',
  query: 'Audit query',
  export: 'Audit export',
  erasure: 'Audit erasure',
  gap: 'Audit gap',
};

/** What became of it, in one word. */
export function verdictOf(record: AuditRecord): 'permitted' | 'denied' | 'blocked' | 'failed' | 'unknown' {
  if (record.findings.some(({ action }) => action === 'block')) return 'blocked';
  if (record.decision === 'forbid') return 'denied';
  if (record.outcome === 'unknown') return 'unknown';
  return record.outcome === 'failure' ? 'failed' : 'permitted';
}

/** One of fifty codes on which a SIEM may build its event ids, such as `call.denied`. */
export function eventCode(record: AuditRecord): string {
  return `${record.kind}.${verdictOf(record)}`;
}

/** The same for a person. */
export function eventName(record: AuditRecord): string {
  return `${NAMES[record.kind]} ${verdictOf(record)}`;
}
