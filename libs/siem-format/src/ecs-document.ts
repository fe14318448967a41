import type { AuditRecord } from '@warder/contracts';
import { eventCode } from './event-name.js';
import { addressKind, capturedText } from './record-fields.js';
import { type Severity, severityOf } from './severity.js';
import { type CapturedText, occurredMs, type RecordNotes, PRODUCT } from './record-notes.js';

/** One document in the Elastic Common Schema. */
export interface EcsDocument {
  readonly '@timestamp': string;
  readonly [field: string]: unknown;
}

/** The version of ECS of which every field outside of `warder` is. */
export const ECS_VERSION = '9.0.0';

const SEVERITIES: Record<Severity, number> = { informational: 1, low: 2, medium: 3, high: 4 };

/**
 * The record as a document for Elasticsearch or OpenSearch; `event.id` is the record's id and the one to index under.
 * Arguments and results are JSON text, so that a hostile key makes no field of an index. What ECS has no field for
 * stands below `warder`.
 * @see Elastic Common Schema
 */
export function ecsDocument(record: AuditRecord, notes: RecordNotes = {}): EcsDocument {
  const { personal, principal, agent, upstream, tool } = record;
  const address = personal?.address ?? '';
  return compact({
    '@timestamp': new Date(occurredMs(record)).toISOString(),
    ecs: { version: ECS_VERSION },
    event: eventOf(record),
    message: eventCode(record),
    user: principal && { id: principal.id, name: personal?.principal?.name, email: personal?.principal?.email },
    source: address === '' ? null : { address, ip: addressKind(address) === 'name' ? undefined : address },
    observer: { vendor: PRODUCT.vendor, product: PRODUCT.name, version: PRODUCT.version, name: record.node },
    trace: record.traceId === null ? null : { id: record.traceId },
    rule: record.rule === null ? null : { name: record.rule, version: numberText(record.policyVersion) },
    error: record.refusal && { code: record.refusal.code, message: personal?.refusalDetail },
    gen_ai: {
      agent: agent && { id: agent.id, name: personal?.agent?.name },
      tool: tool === null ? null : { name: tool, call: { id: record.recordId } },
    },
    user_agent: personal?.claimed && { name: personal.claimed.name, version: personal.claimed.version },
    service: { name: upstream ?? PRODUCT.name },
    warder: warderOf(record, notes),
  }) as EcsDocument;
}

function eventOf(record: AuditRecord): object {
  const totalUs = record.phasesUs.total;
  return {
    id: record.recordId,
    kind: 'event',
    category: categoryOf(record),
    type: [record.decision === 'permit' ? 'allowed' : 'denied'],
    action: record.method === '' ? record.kind : record.method,
    outcome: record.outcome,
    code: eventCode(record),
    severity: SEVERITIES[severityOf(record)],
    sequence: record.sequence,
    duration: totalUs === undefined ? undefined : Math.round(totalUs * 1_000),
    module: 'warder',
    dataset: 'warder.audit',
    provider: 'warder',
  };
}

function categoryOf({ kind }: AuditRecord): readonly string[] {
  if (kind === 'authentication') return ['authentication'];
  if (kind === 'admin') return ['iam', 'configuration'];
  return kind === 'session' ? ['session'] : ['api'];
}

function warderOf(record: AuditRecord, notes: RecordNotes): object {
  const { principal, personal } = record;
  return {
    kind: record.kind,
    schema_version: record.schemaVersion,
    log: record.log,
    index: record.index,
    commitment: record.commitment,
    leaf_hash: notes.leafHash,
    cut: notes.cut,
    is_erased: personal === null ? true : undefined,
    decision: record.decision,
    is_error: record.isError,
    count: record.count,
    capture: record.capture,
    principal: principal && { kind: principal.kind, groups: principal.groups },
    actor_chain: record.actorChain,
    agent: record.agent && { kind: record.agent.kind },
    verified: record.verified,
    protocol_version: record.protocolVersion,
    virtual_server: record.virtualServer,
    upstream: record.upstream,
    exposed_name: record.exposedName,
    definition_hash: record.definitionHash,
    approval: record.approval,
    policy_version: record.policyVersion,
    guardrails_version: record.guardrailsVersion,
    findings: record.findings,
    flow: record.flow,
    providers: record.providers,
    phases_us: record.phasesUs,
    arguments: capturedOf(personal?.arguments),
    result: capturedOf(personal?.result),
  };
}

function capturedOf(captured: CapturedText | null | undefined): object | null {
  if (!captured) return null;
  const { bytes, sha256, head } = captured;
  return { bytes, sha256, text: capturedText(captured), is_cut: head === undefined ? undefined : true };
}

function numberText(value: number | null): string | null {
  return value === null ? null : String(value);
}

/** Without members that say nothing: a null is a field in some indexes. */
function compact(value: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const smaller = isPlain(member) ? compact(member) : member;
    const isEmpty = smaller === null || smaller === undefined || (typeof smaller === 'object' && !hasMembers(smaller));
    if (!isEmpty) kept[key] = smaller;
  }
  return kept;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasMembers(value: object): boolean {
  return Object.keys(value).length > 0;
}
