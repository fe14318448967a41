import type { AuditRecord } from '@warder/contracts';

/** How much a record deserves a look; the words are OCSF's. */
export type Severity = 'informational' | 'low' | 'medium' | 'high';

/**
 * Allowed and done is informational. What was denied, blocked, lost or is not known stands above it, so that a rule on
 * severity alone finds it.
 */
export function severityOf(record: AuditRecord): Severity {
  const isBlocked = record.flow?.action === 'block' || record.findings.some(({ action }) => action === 'block');
  if (record.kind === 'gap' || isBlocked) return 'high';
  if (record.decision === 'forbid' || record.outcome === 'unknown') return 'medium';
  if (record.outcome === 'failure' || record.isError || record.findings.length > 0) return 'low';
  return record.kind === 'export' || record.kind === 'erasure' ? 'low' : 'informational';
}
