import type { AuditRecord } from '@warder/contracts';
import { type Severity, severityOf } from './severity.js';
import { type CapturedText, occurredMs, type RecordNotes, PRODUCT } from './record-notes.js';

/** One OCSF event. Its attributes are those of the class that `class_uid` names. */
export interface OcsfEvent {
  readonly class_uid: number;
  readonly [attribute: string]: unknown;
}

/** The version of the schema that the events are of. */
export const OCSF_VERSION = '1.8.0';

/** A number of an enumeration and its caption. */
export type OcsfEnum = readonly [id: number, caption: string];

/** A class of the schema as far as an event names it. */
export interface OcsfClass {
  readonly category: OcsfEnum;
  readonly uid: OcsfEnum;
  readonly profiles: readonly string[];
}

const SEVERITIES: Record<Severity, OcsfEnum> = {
  informational: [1, 'Informational'],
  low: [2, 'Low'],
  medium: [3, 'Medium'],
  high: [4, 'High'],
};

const STATUSES: Record<AuditRecord['outcome'], OcsfEnum> = {
  success: [1, 'Success'],
  failure: [2, 'Failure'],
  unknown: [0, 'Unknown'],
};

/** What the attributes that every class has say of a record. */
export function ocsfBase(record: AuditRecord, of: OcsfClass, activity: OcsfEnum, notes: RecordNotes): OcsfEvent {
  const [severityId, severity] = SEVERITIES[severityOf(record)];
  const [statusId, status] = STATUSES[record.outcome];
  return {
    metadata: metadataOf(record, of, notes),
    time: occurredMs(record),
    ...durationOf(record),
    class_uid: of.uid[0],
    class_name: of.uid[1],
    category_uid: of.category[0],
    category_name: of.category[1],
    activity_id: activity[0],
    activity_name: activity[1],
    type_uid: of.uid[0] * 100 + activity[0],
    type_name: `${of.uid[1]}: ${activity[0] === 99 ? 'Other' : activity[1]}`,
    severity_id: severityId,
    severity,
    status_id: statusId,
    status,
    ...(record.refusal && { status_code: record.refusal.code }),
    ...(record.personal?.refusalDetail ? { status_detail: record.personal.refusalDetail } : {}),
    count: record.count,
    ...controlOf(record),
    ...(record.traceId !== null && of.profiles.includes('trace') ? { trace: { uid: record.traceId } } : {}),
    unmapped: unmappedOf(record, of, notes),
  };
}

function metadataOf(record: AuditRecord, of: OcsfClass, { cut }: RecordNotes): object {
  const { vendor, name, version } = PRODUCT;
  // A profile is named where its attributes stand: trace only with a trace.
  const profiles = of.profiles.filter((profile) => profile !== 'trace' || record.traceId !== null);
  return {
    version: OCSF_VERSION,
    product: { name, vendor_name: vendor, version },
    profiles,
    uid: record.recordId,
    ...(record.traceId !== null && { correlation_uid: record.traceId }),
    event_code: record.kind,
    log_name: record.log,
    log_provider: name,
    log_source: record.node,
    log_version: String(record.schemaVersion),
    sequence: record.sequence,
    // Kilobytes, as the schema has it.
    ...(cut && { is_truncated: true, untruncated_size: Math.ceil(cut.bytes / 1_024) }),
  };
}

function durationOf({ phasesUs }: AuditRecord): { duration?: number } {
  return phasesUs.total === undefined ? {} : { duration: Math.floor(phasesUs.total / 1_000) };
}

/** The profile `security_control`: what access rules and guardrails did, the strongest finding as the rule that hit. */
function controlOf(record: AuditRecord): object {
  const [action, disposition] = controlWords(record);
  const found = ['block', 'approve', 'redact', 'strip', 'flag', 'log'].flatMap((wanted) =>
    record.findings.filter((f) => f.action === wanted),
  )[0];
  const version = record.guardrailsVersion;
  return {
    action_id: action[0],
    action: action[1],
    disposition_id: disposition[0],
    disposition: disposition[1],
    ...(version !== null && { policy: { uid: 'guardrails', name: 'Guardrails', version: String(version) } }),
    ...(found && {
      firewall_rule: {
        uid: found.detector,
        name: found.detector,
        category: found.category,
        match_location: `${found.phase} ${found.place}`,
      },
    }),
  };
}

function controlWords(record: AuditRecord): readonly [OcsfEnum, OcsfEnum] {
  const found = (wanted: string): boolean => record.findings.some(({ action }) => action === wanted);
  const denied: OcsfEnum = [2, 'Denied'];
  if (record.decision === 'forbid' || found('block')) return [denied, [2, 'Blocked']];
  if (found('redact') || found('strip'))
    return [
      [4, 'Modified'],
      [11, 'Corrected'],
    ];
  if (found('flag') || found('log') || found('approve'))
    return [
      [3, 'Observed'],
      [15, 'Detected'],
    ];
  return [
    [1, 'Allowed'],
    [1, 'Allowed'],
  ];
}

/** What the schema, or this class of it, has no attribute for; keys are spelled as OCSF spells its own. */
function unmappedOf(record: AuditRecord, of: OcsfClass, notes: RecordNotes): object {
  const { principal, agent, personal } = record;
  const isApi = of.uid[0] === 6003;
  return definedOf({
    kind: record.kind,
    decision: record.decision,
    outcome: record.outcome,
    is_error: record.isError,
    capture: record.capture,
    index: record.index,
    commitment: record.commitment,
    leaf_hash: notes.leafHash,
    cut: notes.cut,
    is_erased: personal === null ? true : undefined,
    principal_kind: principal?.kind,
    agent_kind: agent?.kind,
    actor_chain: record.actorChain.length === 0 ? undefined : record.actorChain,
    verified: record.verified,
    virtual_server: record.virtualServer,
    exposed_name: record.exposedName,
    definition_hash: record.definitionHash,
    approval: record.approval,
    guardrails_version: record.guardrailsVersion,
    findings: record.findings.length === 0 ? undefined : record.findings,
    flow: record.flow,
    providers: record.providers,
    phases_us: Object.keys(record.phasesUs).length === 0 ? undefined : record.phasesUs,
    ...(!isApi && withoutApi(record)),
    arguments: capturedOf(personal?.arguments, !isApi),
    result: capturedOf(personal?.result, !isApi),
  });
}

// Outside of API Activity `api` is of the profile `cloud`, which would want a cloud.
function withoutApi({ method, protocolVersion, upstream, tool, personal }: AuditRecord): object {
  return { method, protocol_version: protocolVersion, upstream, tool, claimed: personal?.claimed };
}

function capturedOf(captured: CapturedText | null | undefined, withData: boolean): object | undefined {
  if (!captured) return undefined;
  const { bytes, sha256, head } = captured;
  const isCut = head === undefined ? undefined : true;
  return { ...definedOf({ bytes, sha256, is_cut: isCut }), ...(withData && dataOf(captured)) };
}

/** What was kept of a value: itself, or its head as text. Without a member where nothing was. */
export function dataOf(captured: CapturedText | null | undefined): { data?: unknown } {
  if (!captured) return {};
  if ('value' in captured) return { data: captured.value };
  return captured.head === undefined ? {} : { data: captured.head };
}

function definedOf(members: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null));
}
