import { type Severity, severityOf } from './severity.js';
import { type CapturedText, occurredMs, type RecordNotes, PRODUCT, type SiemRecord } from './siem-record.js';

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

const STATUSES: Record<SiemRecord['outcome'], OcsfEnum> = {
  success: [1, 'Success'],
  failure: [2, 'Failure'],
  unknown: [0, 'Unknown'],
};

/** What the attributes that every class has say of a record. */
export function ocsfBase(record: SiemRecord, of: OcsfClass, activity: OcsfEnum, notes: RecordNotes): OcsfEvent {
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
    unmapped: unmappedOf(record, notes),
  };
}

function metadataOf(record: SiemRecord, of: OcsfClass, { cut }: RecordNotes): object {
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

function durationOf({ phasesUs }: SiemRecord): { duration?: number } {
  return phasesUs.total === undefined ? {} : { duration: Math.floor(phasesUs.total / 1_000) };
}

/** The profile `security_control`: what access rules and guardrails did, the strongest finding as the rule that hit. */
function controlOf(record: SiemRecord): object {
  const [action, disposition] = controlWords(record);
  const found = ['block', 'redact', 'flag'].flatMap((wanted) => record.findings.filter((f) => f.action === wanted))[0];
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

function controlWords(record: SiemRecord): readonly [OcsfEnum, OcsfEnum] {
  const found = (wanted: string): boolean => record.findings.some(({ action }) => action === wanted);
  const denied: OcsfEnum = [2, 'Denied'];
  if (record.decision === 'forbid' || found('block')) return [denied, [2, 'Blocked']];
  if (found('redact'))
    return [
      [4, 'Modified'],
      [11, 'Corrected'],
    ];
  if (found('flag'))
    return [
      [3, 'Observed'],
      [15, 'Detected'],
    ];
  return [
    [1, 'Allowed'],
    [1, 'Allowed'],
  ];
}

/** What the schema has no attribute for; keys are spelled as OCSF spells its own. */
function unmappedOf(record: SiemRecord, notes: RecordNotes): object {
  const members: Record<string, unknown> = {
    kind: record.kind,
    decision: record.decision,
    outcome: record.outcome,
    is_error: record.isError,
    capture: record.capture,
    index: record.index,
    commitment: record.commitment,
    leaf_hash: notes.leafHash,
    cut: notes.cut,
    is_erased: record.personal === null ? true : undefined,
    principal_kind: record.principal?.kind,
    agent_kind: record.agent?.kind,
    actor_chain: record.actorChain.length === 0 ? undefined : record.actorChain,
    verified: record.verified ?? undefined,
    virtual_server: record.virtualServer ?? undefined,
    exposed_name: record.exposedName ?? undefined,
    definition_hash: record.definitionHash ?? undefined,
    guardrails_version: record.guardrailsVersion ?? undefined,
    findings: record.findings.length === 0 ? undefined : record.findings,
    phases_us: Object.keys(record.phasesUs).length === 0 ? undefined : record.phasesUs,
    arguments: sizesOf(record.personal?.arguments),
    result: sizesOf(record.personal?.result),
  };
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function sizesOf(captured: CapturedText | null | undefined): object | undefined {
  if (!captured) return undefined;
  const { bytes, sha256, head } = captured;
  return { bytes, ...(sha256 !== undefined && { sha256 }), ...(head !== undefined && { is_cut: true }) };
}
