import type { RecordColumns } from './record-columns.js';
import type { RecordRow } from './store-batch.js';

/** Rows of `call_record` in Postgres' binary form, made by `recordCopy`. */
export const COPY_RECORDS = `COPY call_record (occurred_at, record_id, log, sequence, kind, decision, outcome, refusal_code,
  principal_id, principal_name, principal_email, agent_id, agent_name, virtual_server, upstream, tool, count, record)
  FROM STDIN (FORMAT binary)`;

const COLUMNS = 18;
/** The columns between `sequence` and `count`, in their order. */
const TEXTS = [
  'kind',
  'decision',
  'outcome',
  'refusalCode',
  'principalId',
  'principalName',
  'principalEmail',
  'agentId',
  'agentName',
  'virtualServer',
  'upstream',
  'tool',
] as const;
const HEADER = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');
const TRAILER_BYTES = 2;
/** Count of columns, lengths of all of them, and the values of fixed size. */
const FIXED_BYTES = 2 + 4 * COLUMNS + 8 + 16 + 8 + 4;
/** UTF-8 bytes that a unit of UTF-16 takes at most. */
const BYTES_A_UNIT = 3;
const TWO_TO_32 = 4_294_967_296;
const INT32_MAX = 2_147_483_647;
/** Milliseconds from 1970 to the beginning of Postgres' time. */
const POSTGRES_EPOCH_MS = 946_684_800_000;
/** Until here (the year 2223) microseconds are whole numbers in a double. */
const TIME_MAX_MS = 8_000_000_000_000;
const SCRATCH_BYTES_MAX = 33_554_432;

let scratch = Buffer.alloc(0);

/** Whether the record's numbers have the one binary form that they have as text, too; all real ones do. */
export function isPlain({ occurredAtMs, count }: RecordColumns): boolean {
  return Number.isSafeInteger(occurredAtMs) && occurredAtMs >= 0 && occurredAtMs < TIME_MAX_MS && count <= INT32_MAX;
}

/**
 * The rows as `COPY` takes them (PostgreSQL manual, COPY, binary format): numbers big-endian, each value behind its
 * length. The text of a record goes as it came. Valid until the next call.
 */
export function recordCopy(rows: readonly RecordRow[]): Buffer {
  const target = takeScratch(rows);
  let at = HEADER.copy(target, 0);
  for (const row of rows) at = putRow(target, at, row);
  at = target.writeInt16BE(-1, at);
  return target.subarray(0, at);
}

function takeScratch(rows: readonly RecordRow[]): Buffer {
  let bytes = HEADER.length + TRAILER_BYTES;
  for (const { columns, message } of rows) bytes += FIXED_BYTES + message.value.length + BYTES_A_UNIT * units(columns);
  if (bytes <= scratch.length) return scratch;
  const target = Buffer.allocUnsafeSlow(bytes + (bytes >> 2));
  if (target.length <= SCRATCH_BYTES_MAX) scratch = target;
  return target;
}

/** UTF-16 units of all texts. */
function units(columns: RecordColumns): number {
  let sum = columns.log.length;
  for (const name of TEXTS) sum += columns[name]?.length ?? 0;
  return sum;
}

function putRow(target: Buffer, start: number, { columns, message }: RecordRow): number {
  let at = target.writeInt16BE(COLUMNS, start);
  at = putInt64(target, at, (columns.occurredAtMs - POSTGRES_EPOCH_MS) * 1_000);
  at = target.writeInt32BE(16, at);
  at += target.write(columns.recordId.replaceAll('-', ''), at, 'hex');
  at = putText(target, at, columns.log);
  at = putInt64(target, at, columns.sequence);
  for (const name of TEXTS) at = putText(target, at, columns[name]);
  at = target.writeInt32BE(4, at);
  at = target.writeInt32BE(columns.count, at);
  at = target.writeInt32BE(message.value.length, at);
  target.set(message.value, at);
  return at + message.value.length;
}

function putInt64(target: Buffer, start: number, value: number): number {
  let at = target.writeInt32BE(8, start);
  const high = Math.floor(value / TWO_TO_32);
  at = target.writeInt32BE(high, at);
  return target.writeUInt32BE(value - high * TWO_TO_32, at);
}

function putText(target: Buffer, at: number, text: string | null | undefined): number {
  if (text === null || text === undefined) return target.writeInt32BE(-1, at);
  const bytes = target.write(text, at + 4);
  target.writeInt32BE(bytes, at);
  return at + 4 + bytes;
}
