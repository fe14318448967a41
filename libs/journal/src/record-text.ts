import { createHash, hash } from 'node:crypto';

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
  findings: [],
  phasesUs: {},
  count: 1,
  personal: { refusalDetail: null, result: null },
});

/** The outcome of an intent that could not be written: its call was refused before anything happened. */
export const REFUSED_OUTCOME = JSON.stringify({
  decision: 'forbid',
  outcome: 'failure',
  refusal: { code: 'WDR_AUDIT_UNAVAILABLE' },
  isError: false,
  findings: [],
  phasesUs: {},
  count: 1,
  personal: { refusalDetail: 'the journal could not be written', result: null },
});

const HEAD_CHARACTERS = 1_024;
const FINDINGS_KEPT = 50;
const RECORD_ID_BYTES = 36;
const RECORD_ID_MARK = Buffer.from('"recordId":"');
// Quotes within strings are escaped, so nothing but the member itself is written like this.
const PERSONAL_MARK = Buffer.from(',"personal":');
const COMMA = Buffer.from(',');
const END = Buffer.from('}');

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
const cutCaptures = ({ personal }: Record<string, unknown>) => {
  if (!isObject(personal)) return;
  for (const name of ['arguments', 'result']) if (isObject(personal[name])) personal[name] = cut(personal[name]);
};
// An outcome that is refused would leave its intent open, so something always fits. Captures go first: read as doubles,
// their numbers would not be what they were.
const SHORTENINGS = [cutCaptures, keepFindings(FINDINGS_KEPT), keepFindings(FINDINGS_KEPT / 10), keepFindings(0)];

/** The capture with a short head; one that keeps no text stays as it is. */
function cut(capture: Record<string, unknown>): Record<string, unknown> {
  if (typeof capture.head === 'string') return { ...capture, head: headOf(capture.head) };
  if (!('value' in capture)) return capture;
  const whole = JSON.stringify(capture.value);
  const sha256 = createHash('sha256').update(whole).digest('hex');
  return { bytes: Buffer.byteLength(whole), head: headOf(whole), sha256 };
}

// Half a surrogate pair at the end would be a value that no store takes.
const headOf = (text: string): string => text.slice(0, HEAD_CHARACTERS).replace(/[\ud800-\udbff]$/, '');

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** Where a record stands. */
export interface RecordPlace {
  readonly log: string;
  readonly sequence: number;
  /** Place in the log's tree; `undefined` where the tree was lost. */
  readonly index: number | undefined;
}

/**
 * The bytes of one record, joined from the bytes of its halves without reading them: the log's name and the numbers, the
 * commitment to the personal bytes, what proves the record, and the personal bytes last.
 * @param intent - a half, or a whole record where there is no outcome
 */
export function joinRecord({ log, sequence, index }: RecordPlace, intent: Buffer, outcome?: Buffer): Buffer {
  const first = partsOf(intent);
  const second = outcome && partsOf(outcome);
  const core = second === undefined ? [first.core] : [first.core, COMMA, second.core];
  const personal = second === undefined ? first.personal : joinedObjects(first.personal, second.personal);
  const commitment = hash('sha256', personal);
  const place = index === undefined ? '' : `"index":${index},`;
  const prefix = `{"log":${JSON.stringify(log)},"sequence":${sequence},${place}"commitment":"${commitment}",`;
  return Buffer.concat([Buffer.from(prefix), ...core, PERSONAL_MARK, personal, END]);
}

const NO_MEMBERS = Buffer.from('{}');

/** What proves a half, without its braces, and its personal object. */
function partsOf(half: Buffer): { core: Buffer; personal: Buffer } {
  const at = half.indexOf(PERSONAL_MARK);
  if (at < 0) return { core: half.subarray(1, -1), personal: NO_MEMBERS };
  return { core: half.subarray(1, at), personal: half.subarray(at + PERSONAL_MARK.length, -1) };
}

function joinedObjects(first: Buffer, second: Buffer): Buffer {
  if (first.length <= NO_MEMBERS.length) return second;
  if (second.length <= NO_MEMBERS.length) return first;
  return Buffer.concat([first.subarray(0, -1), COMMA, second.subarray(1)]);
}

/** The record's id as it stands in its bytes, or a name for the record where it holds none. */
export function recordIdOf(log: string, sequence: number, intent: Buffer): string {
  const at = intent.indexOf(RECORD_ID_MARK);
  const start = at + RECORD_ID_MARK.length;
  if (at < 0 || intent[start + RECORD_ID_BYTES] !== 0x22) return `${log}#${sequence}`;
  return intent.toString('latin1', start, start + RECORD_ID_BYTES);
}
