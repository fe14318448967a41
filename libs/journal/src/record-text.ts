import { createHash } from 'node:crypto';

/** UTF-8 bytes of an outcome's text at most; an open intent holds the room for it. */
export const OUTCOME_BYTES_MAX = 40_960;
/** UTF-8 bytes of an intent's text at most. */
export const INTENT_BYTES_MAX = 131_072;
/** UTF-8 bytes of a record at most: both halves, far below the 1 MiB of a message of the topic. */
export const RECORD_BYTES_MAX = INTENT_BYTES_MAX + OUTCOME_BYTES_MAX;

/** The outcome of an intent whose process died: whether the upstream acted is not known. */
export const UNKNOWN_OUTCOME = JSON.stringify({
  decision: 'permit',
  outcome: 'unknown',
  refusal: null,
  isError: false,
  result: null,
  findings: [],
  phasesUs: {},
  count: 1,
});

/** The outcome of an intent that could not be written: its call was refused before anything happened. */
export const REFUSED_OUTCOME = JSON.stringify({
  decision: 'forbid',
  outcome: 'failure',
  refusal: { code: 'WDR_AUDIT_UNAVAILABLE', detail: 'the journal could not be written' },
  isError: false,
  result: null,
  findings: [],
  phasesUs: {},
  count: 1,
});

const HEAD_CHARACTERS = 1_024;
const FINDINGS_KEPT = 50;
const RECORD_ID_BYTES = 36;
const RECORD_ID_MARK = Buffer.from('"recordId":"');
const COMMA = Buffer.from(',');

/**
 * The text, within `bytesMax`. Callers cut what they capture, so that the rest is never needed; it keeps a mistake of
 * theirs from becoming a message that no broker takes.
 * @throws RangeError when no JSON object of that size can be made of it
 */
export function fitText(text: string, bytesMax: number): string {
  if (text.charCodeAt(0) !== 0x7b || text.charCodeAt(text.length - 1) !== 0x7d || text.length < 3) {
    throw new RangeError('a journal takes texts of JSON objects that have a member');
  }
  if (text.length * 3 <= bytesMax || Buffer.byteLength(text) <= bytesMax) return text;
  const value = JSON.parse(text) as Record<string, unknown>;
  for (const shorten of SHORTENINGS) {
    shorten(value);
    const shorter = JSON.stringify(value);
    if (Buffer.byteLength(shorter) <= bytesMax) return shorter;
  }
  throw new RangeError(`a record's text exceeds ${bytesMax} bytes`);
}

const keepFindings = (count: number) => (value: Record<string, unknown>) => {
  if (Array.isArray(value.findings)) value.findings = value.findings.slice(0, count);
};
const cutCaptures = (value: Record<string, unknown>) => {
  for (const capture of ['arguments', 'result']) if (value[capture]) value[capture] = cut(value[capture]);
};
// An outcome that is refused would leave its intent open, so something always fits. Captures go first: read as doubles,
// their numbers would not be what they were.
const SHORTENINGS = [cutCaptures, keepFindings(FINDINGS_KEPT), keepFindings(FINDINGS_KEPT / 10), keepFindings(0)];

function cut(capture: unknown): { bytes: number; head: string; sha256: string } {
  const whole = JSON.stringify(capture);
  // Half a surrogate pair at the end would be a value that no store takes.
  const head = whole.slice(0, HEAD_CHARACTERS).replace(/[\ud800-\udbff]$/, '');
  return { bytes: Buffer.byteLength(whole), head, sha256: createHash('sha256').update(whole).digest('hex') };
}

/** What one log's records begin with: its name and the sequence number. */
export function recordPrefix(log: string, sequence: number): Buffer {
  return Buffer.from(`{"log":${JSON.stringify(log)},"sequence":${sequence},`);
}

/** The bytes of one record, joined from the bytes of its halves without reading them. */
export function joinRecord(log: string, sequence: number, intent: Buffer, outcome?: Buffer): Buffer {
  const prefix = recordPrefix(log, sequence);
  if (outcome === undefined) return Buffer.concat([prefix, intent.subarray(1)]);
  return Buffer.concat([prefix, intent.subarray(1, -1), COMMA, outcome.subarray(1)]);
}

/** The record's id as it stands in its bytes, or a name for the record where it holds none. */
export function recordIdOf(log: string, sequence: number, intent: Buffer): string {
  const at = intent.indexOf(RECORD_ID_MARK);
  const start = at + RECORD_ID_MARK.length;
  if (at < 0 || intent[start + RECORD_ID_BYTES] !== 0x22) return `${log}#${sequence}`;
  return intent.toString('latin1', start, start + RECORD_ID_BYTES);
}
