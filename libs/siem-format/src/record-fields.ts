import type { AuditRecord } from '@warder/contracts';
import { jsonLine } from './harmless-text.js';
import { type CapturedText, occurredMs, type RecordNotes } from './record-notes.js';

/** One field of a record in the formats that are flat: its key in each, and its value as text. */
export interface RecordField {
  /** Where the field stands in the record, with dots. */
  readonly field: string;
  readonly cef: string;
  /** What the analyst reads beside a numbered key of CEF's. */
  readonly cefLabel?: string;
  readonly leef: string;
  /** The value is JSON text that we wrote. */
  readonly json?: true;
  readonly read: (record: AuditRecord, notes: RecordNotes) => string | number | boolean | null | undefined;
}

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$/;
const IPV6 = /^[0-9a-fA-F:.]{2,39}$/;

/** Which kind of address a text is; `name` for anything else. */
export function addressKind(text: string): 'ipv4' | 'ipv6' | 'name' {
  if (IPV4.test(text)) return 'ipv4';
  return IPV6.test(text) && text.includes(':') && URL.canParse(`http://[${text}]/`) ? 'ipv6' : 'name';
}

/** What was kept of arguments or a result, as text: JSON of the value, or the head where it was cut. */
export function capturedText(captured: CapturedText | null | undefined): string | undefined {
  if (!captured) return undefined;
  return 'value' in captured ? jsonLine(captured.value) : captured.head;
}

const hashOf = (captured: CapturedText | null | undefined): string | undefined => captured?.sha256;

const listed = (values: readonly unknown[]): string | null => (values.length === 0 ? null : jsonLine(values));

const addressOf =
  (kind: 'ipv4' | 'ipv6' | 'name') =>
  ({ personal }: AuditRecord): string | null => {
    const address = personal?.address ?? '';
    return address !== '' && addressKind(address) === kind ? address : null;
  };

/** Every field of a record, what matters most first: a message that is cut keeps its beginning. */
export const RECORD_FIELDS: readonly RecordField[] = [
  { field: 'recordId', cef: 'externalId', leef: 'recordId', read: (record) => record.recordId },
  { field: 'occurredAtMs', cef: 'rt', leef: 'devTime', read: occurredMs },
  { field: 'kind', cef: 'cat', leef: 'cat', read: (record) => record.kind },
  { field: 'decision', cef: 'act', leef: 'decision', read: (record) => record.decision },
  { field: 'outcome', cef: 'outcome', leef: 'outcome', read: (record) => record.outcome },
  { field: 'refusal.code', cef: 'reason', leef: 'reason', read: (record) => record.refusal?.code },
  { field: 'isError', cef: 'warderIsError', leef: 'isError', read: (record) => record.isError },
  { field: 'node', cef: 'dvchost', leef: 'node', read: (record) => record.node },
  { field: 'log', cef: 'warderLog', leef: 'log', read: (record) => record.log },
  { field: 'sequence', cef: 'cn1', cefLabel: 'sequence', leef: 'sequence', read: (record) => record.sequence },
  { field: 'index', cef: 'cn2', cefLabel: 'index', leef: 'index', read: (record) => record.index },
  { field: 'commitment', cef: 'warderCommitment', leef: 'commitment', read: (record) => record.commitment },
  { field: 'leafHash', cef: 'warderLeafHash', leef: 'leafHash', read: (_, notes) => notes.leafHash },
  { field: 'cut.bytes', cef: 'warderCutBytes', leef: 'cutBytes', read: (_, { cut }) => cut?.bytes },
  { field: 'cut.sha256', cef: 'warderCutSha256', leef: 'cutSha256', read: (_, { cut }) => cut?.sha256 },
  { field: 'cut.pointer', cef: 'warderPointer', leef: 'pointer', read: (_, { cut }) => cut?.pointer },
  { field: 'principal.id', cef: 'suid', leef: 'accountName', read: (record) => record.principal?.id },
  { field: 'principal.kind', cef: 'warderPrincipalKind', leef: 'principalKind', read: (r) => r.principal?.kind },
  { field: 'personal.principal.name', cef: 'suser', leef: 'usrName', read: (r) => r.personal?.principal?.name },
  { field: 'personal.principal.email', cef: 'warderEmail', leef: 'email', read: (r) => r.personal?.principal?.email },
  {
    field: 'principal.groups',
    cef: 'warderGroups',
    leef: 'groups',
    json: true,
    read: (record) => listed(record.principal?.groups ?? []),
  },
  {
    field: 'actorChain',
    cef: 'warderActorChain',
    leef: 'actorChain',
    json: true,
    read: (record) => listed(record.actorChain),
  },
  { field: 'agent.id', cef: 'cs2', cefLabel: 'agent', leef: 'agentId', read: (record) => record.agent?.id },
  { field: 'agent.kind', cef: 'warderAgentKind', leef: 'agentKind', read: (record) => record.agent?.kind },
  { field: 'personal.agent.name', cef: 'sourceServiceName', leef: 'agentName', read: (r) => r.personal?.agent?.name },
  { field: 'verified.client', cef: 'warderVerifiedClient', leef: 'verifiedClient', read: (r) => r.verified?.client },
  { field: 'verified.by', cef: 'warderVerifiedBy', leef: 'verifiedBy', read: (record) => record.verified?.by },
  {
    field: 'personal.claimed.name',
    cef: 'requestClientApplication',
    leef: 'claimedName',
    read: (record) => record.personal?.claimed?.name,
  },
  {
    field: 'personal.claimed.version',
    cef: 'warderClaimedVersion',
    leef: 'claimedVersion',
    read: (record) => record.personal?.claimed?.version,
  },
  { field: 'personal.address (IPv4)', cef: 'src', leef: 'src', read: addressOf('ipv4') },
  {
    field: 'personal.address (IPv6)',
    cef: 'c6a2',
    cefLabel: 'Source IPv6 Address',
    leef: 'src',
    read: addressOf('ipv6'),
  },
  { field: 'personal.address (other)', cef: 'shost', leef: 'srcName', read: addressOf('name') },
  { field: 'method', cef: 'requestMethod', leef: 'method', read: (record) => record.method },
  { field: 'virtualServer', cef: 'requestContext', leef: 'virtualServer', read: (record) => record.virtualServer },
  { field: 'upstream', cef: 'destinationServiceName', leef: 'upstream', read: (record) => record.upstream },
  { field: 'tool', cef: 'cs1', cefLabel: 'tool', leef: 'tool', read: (record) => record.tool },
  { field: 'exposedName', cef: 'warderExposedName', leef: 'exposedName', read: (record) => record.exposedName },
  { field: 'rule', cef: 'cs3', cefLabel: 'rule', leef: 'policy', read: (record) => record.rule },
  {
    field: 'policyVersion',
    cef: 'cn3',
    cefLabel: 'policyVersion',
    leef: 'policyVersion',
    read: (r) => r.policyVersion,
  },
  {
    field: 'guardrailsVersion',
    cef: 'warderGuardrailsVersion',
    leef: 'guardrailsVersion',
    read: (record) => record.guardrailsVersion,
  },
  {
    field: 'definitionHash',
    cef: 'warderDefinitionHash',
    leef: 'definitionHash',
    read: (record) => record.definitionHash,
  },
  { field: 'approval', cef: 'warderApproval', leef: 'approval', read: (record) => record.approval },
  { field: 'count', cef: 'cnt', leef: 'count', read: (record) => record.count },
  { field: 'traceId', cef: 'warderTraceId', leef: 'traceId', read: (record) => record.traceId },
  { field: 'protocolVersion', cef: 'warderProtocolVersion', leef: 'protocolVersion', read: (r) => r.protocolVersion },
  { field: 'schemaVersion', cef: 'warderSchemaVersion', leef: 'schemaVersion', read: (r) => r.schemaVersion },
  { field: 'capture', cef: 'warderCapture', leef: 'capture', read: (record) => record.capture },
  { field: 'personal.refusalDetail', cef: 'msg', leef: 'msg', read: (record) => record.personal?.refusalDetail },
  {
    field: 'findings',
    cef: 'cs6',
    cefLabel: 'findings',
    leef: 'findings',
    json: true,
    read: (record) => listed(record.findings),
  },
  {
    field: 'flow',
    cef: 'warderFlow',
    leef: 'flow',
    json: true,
    read: (record) => (record.flow === undefined ? null : jsonLine(record.flow)),
  },
  {
    field: 'providers',
    cef: 'warderProviders',
    leef: 'providers',
    json: true,
    read: (record) => (record.providers === undefined ? null : listed(record.providers)),
  },
  {
    field: 'phasesUs',
    cef: 'warderPhasesUs',
    leef: 'phasesUs',
    json: true,
    read: (record) => (Object.keys(record.phasesUs).length === 0 ? null : jsonLine(record.phasesUs)),
  },
  { field: 'personal.arguments.bytes', cef: 'in', leef: 'argumentsBytes', read: (r) => r.personal?.arguments?.bytes },
  {
    field: 'personal.arguments.sha256',
    cef: 'warderArgumentsSha256',
    leef: 'argumentsSha256',
    read: (record) => hashOf(record.personal?.arguments),
  },
  { field: 'personal.result.bytes', cef: 'out', leef: 'resultBytes', read: (r) => r.personal?.result?.bytes },
  {
    field: 'personal.result.sha256',
    cef: 'warderResultSha256',
    leef: 'resultSha256',
    read: (record) => hashOf(record.personal?.result),
  },
  {
    field: 'personal.arguments.value',
    cef: 'cs4',
    cefLabel: 'arguments',
    leef: 'arguments',
    json: true,
    read: (record) => capturedText(record.personal?.arguments),
  },
  {
    field: 'personal.result.value',
    cef: 'cs5',
    cefLabel: 'result',
    leef: 'result',
    json: true,
    read: (record) => capturedText(record.personal?.result),
  },
];
