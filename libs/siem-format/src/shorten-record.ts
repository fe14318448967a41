import { createHash } from 'node:crypto';
import type { AuditRecord, Capture, PersonalPart } from '@warder/contracts';
import { stringifyJson } from '@warder/mcp-wire';
import { capturedText } from './record-fields.js';
import type { CapturedText } from './record-notes.js';

// Ids are ours and short; one that is not must not keep a message from fitting.
const ID_CHARACTERS = 64;

/**
 * The record with no text longer than `charactersMax`, so that any format of it is shorter and still well-formed.
 * Hashes and ids of usual length stay whole; of lists the first members stay.
 * @param charactersMax - UTF-16 units, 0 or more
 */
export function shortenRecord(record: AuditRecord, charactersMax: number): AuditRecord {
  const text = <T extends string | null>(value: T): T =>
    (value !== null && value.length > charactersMax ? head(value, charactersMax) : value) as T;
  const id = (value: string): string => head(value, Math.max(charactersMax, ID_CHARACTERS));
  const members = Math.floor(charactersMax / 32);
  const { principal, agent, verified, phasesUs } = record;
  return {
    ...record,
    principal: principal && {
      id: id(principal.id),
      kind: text(principal.kind),
      groups: principal.groups.slice(0, members).map(text),
    },
    actorChain: record.actorChain.slice(0, members).map(({ id, kind }) => ({ id: text(id), kind: text(kind) })),
    agent: agent && { id: id(agent.id), kind: text(agent.kind) },
    verified: verified && { client: text(verified.client), by: text(verified.by) },
    node: id(record.node),
    log: id(record.log),
    recordId: id(record.recordId),
    traceId: record.traceId && id(record.traceId),
    method: text(record.method),
    protocolVersion: text(record.protocolVersion),
    virtualServer: text(record.virtualServer),
    upstream: text(record.upstream),
    tool: text(record.tool),
    exposedName: text(record.exposedName),
    rule: text(record.rule),
    findings: record.findings.slice(0, members).map((finding) => ({
      ...finding,
      detector: text(finding.detector),
      place: text(finding.place),
    })),
    ...(record.flow && { flow: { ...record.flow, chain: record.flow.chain.slice(0, members) } }),
    ...(record.providers && {
      providers: record.providers.slice(0, members).map((said) => ({ ...said, found: said.found.slice(0, members) })),
    }),
    phasesUs: phasesUs.total === undefined ? {} : { total: phasesUs.total },
    personal: record.personal && shortenPersonal(record.personal, text, charactersMax),
  };
}

function shortenPersonal(
  personal: PersonalPart,
  text: <T extends string | null>(value: T) => T,
  charactersMax: number,
): PersonalPart {
  const { principal, agent, claimed } = personal;
  return {
    salt: personal.salt,
    principal: principal && { name: text(principal.name), email: text(principal.email) },
    agent: agent && { name: text(agent.name) },
    claimed: claimed && { name: text(claimed.name), version: text(claimed.version) },
    address: text(personal.address),
    arguments: shortenCaptured(personal.arguments, charactersMax),
    refusalDetail: text(personal.refusalDetail),
    result: shortenCaptured(personal.result, charactersMax),
  };
}

function shortenCaptured(captured: Capture | null, charactersMax: number): Capture | null {
  const whole = capturedText(captured);
  if (captured === null || whole === undefined || whole.length <= charactersMax) return captured;
  const { bytes, sha256, value }: CapturedText = captured;
  return { bytes, head: head(whole, charactersMax), sha256: sha256 ?? sha256Of(value) };
}

// Of the JSON that the gateway wrote into the record, as it is where the record itself was cut.
function sha256Of(value: unknown): string {
  return createHash('sha256').update(stringifyJson(value)).digest('hex');
}

// Half a surrogate pair at the end would be no character.
function head(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : text.slice(0, charactersMax).replace(/[\ud800-\udbff]$/, '');
}
