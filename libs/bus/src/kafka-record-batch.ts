import { createRequire } from 'node:module';

/** The one release whose encoding was compared with ours, byte for byte. Another is left as it is. */
const KNOWN_VERSION = '2.2.4';
const MAGIC = 2;
const CODEC_MASK = 7;
const TRANSACTIONAL = 16;
/** Bytes before the records: 21 that the checksum does not cover, and 40 that it does. */
const HEAD_BYTES = 61;
const UNCHECKED_BYTES = 21;
/** Room that a record takes besides its key, value and headers, at most. */
const RECORD_OVERHEAD_BYTES = 40;
const SCRATCH_BYTES = 262_144;
/** A larger scratch is let go again. */
const SCRATCH_BYTES_MAX = 2_097_152;

type Bytes = Buffer | string | null | undefined;

/** What kafkajs calls a record before it is encoded. */
export interface BatchRecord {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key?: Bytes;
  readonly value?: Bytes;
  readonly headers?: Readonly<Record<string, Bytes | readonly Bytes[]>>;
}

/** What kafkajs' `RecordBatch` takes. */
export interface Batch {
  readonly compression?: number;
  readonly firstOffset?: unknown;
  readonly firstTimestamp?: unknown;
  readonly maxTimestamp?: unknown;
  readonly partitionLeaderEpoch?: number;
  readonly lastOffsetDelta?: number;
  readonly transactional?: boolean;
  readonly producerId?: unknown;
  readonly producerEpoch?: number;
  readonly firstSequence?: number;
  readonly records?: readonly BatchRecord[];
}

interface Encoder {
  buf: Buffer;
  offset: number;
  readonly buffer: Buffer;
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: unknown): Encoder;
}

/** The modules of kafkajs that the encoding is made of. */
export interface KafkajsParts {
  readonly Encoder: new (initialBytes?: number) => Encoder;
  readonly crc32C: (bytes: Buffer) => number;
  readonly lookupCodec: (type: number) => { compress(encoder: { readonly buffer: Buffer }): Promise<Buffer> };
}

let scratch: Buffer | undefined = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
let isReplaced = false;

/**
 * Has kafkajs encode its record batches into one buffer that is used again and again. Its own code makes a zero-filled
 * buffer of half a kilobyte for each record, grows it twice and copies it twice; the collections of the old generation
 * that so many external buffers bring about cost as much again.
 * @returns whether it is in place: another release of kafkajs is left alone
 */
export function useFastRecordBatches(): boolean {
  if (isReplaced) return true;
  const load = createRequire(import.meta.url);
  const { version } = load('kafkajs/package.json') as { readonly version: string };
  // Whoever loaded the request before has the original in hand.
  if (version !== KNOWN_VERSION || load.resolve(PRODUCE) in load.cache) return false;
  const encode = recordBatchOf(kafkajsParts(load));
  replace(load, RECORD, () => (record: BatchRecord) => record);
  replace(load, RECORD_BATCH, (original) => ({ ...(original as object), RecordBatch: encode }));
  isReplaced = true;
  return true;
}

const PRODUCE = 'kafkajs/src/protocol/requests/produce/v3/request.js';
const RECORD = 'kafkajs/src/protocol/recordBatch/record/v0/index.js';
const RECORD_BATCH = 'kafkajs/src/protocol/recordBatch/v0/index.js';

/** Loads what the encoding uses. */
export function kafkajsParts(load: NodeJS.Require): KafkajsParts {
  return {
    Encoder: load('kafkajs/src/protocol/encoder') as KafkajsParts['Encoder'],
    crc32C: load('kafkajs/src/protocol/recordBatch/crc32C') as KafkajsParts['crc32C'],
    lookupCodec: (load('kafkajs/src/protocol/message/compression') as KafkajsParts).lookupCodec,
  };
}

function replace(load: NodeJS.Require, path: string, change: (original: unknown) => unknown): void {
  const original: unknown = load(path);
  const module = load.cache[load.resolve(path)];
  if (module !== undefined) module.exports = change(original);
}

/**
 * The encoder of a batch, as kafkajs' `RecordBatch`, whose records are not encoded yet.
 * @see Kafka's record batch format, magic 2
 */
export function recordBatchOf({ Encoder, crc32C, lookupCodec }: KafkajsParts): (batch: Batch) => Promise<Encoder> {
  return async (batch) => {
    const { records = [], compression = 0, transactional = false } = batch;
    const encoded = await encodedRecords(records, (plain) =>
      compression === 0 ? undefined : lookupCodec(compression & CODEC_MASK).compress({ buffer: plain }),
    );
    const nowMs = Date.now();
    const checked = new Encoder(HEAD_BYTES)
      .writeInt16((compression & CODEC_MASK) | (transactional ? TRANSACTIONAL : 0))
      .writeInt32(batch.lastOffsetDelta ?? 0)
      .writeInt64(batch.firstTimestamp ?? nowMs)
      .writeInt64(batch.maxTimestamp ?? nowMs)
      .writeInt64(batch.producerId ?? -1)
      .writeInt16(batch.producerEpoch ?? 0)
      .writeInt32(batch.firstSequence ?? 0)
      .writeInt32(records.length);
    const whole = Buffer.allocUnsafe(HEAD_BYTES + encoded.length);
    checked.buffer.copy(whole, UNCHECKED_BYTES);
    encoded.copy(whole, HEAD_BYTES);
    const unchecked = new Encoder(UNCHECKED_BYTES)
      .writeInt64(batch.firstOffset ?? 0)
      .writeInt32(whole.length - 12)
      .writeInt32(batch.partitionLeaderEpoch ?? 0)
      .writeInt8(MAGIC);
    unchecked.buffer.copy(whole);
    whole.writeUInt32BE(crc32C(whole.subarray(UNCHECKED_BYTES)), UNCHECKED_BYTES - 4);
    const result = new Encoder(1);
    result.buf = whole;
    result.offset = whole.length;
    return result;
  };
}

/** All records one behind the other, compressed where `compress` does so. */
async function encodedRecords(
  records: readonly BatchRecord[],
  compress: (plain: Buffer) => Promise<Buffer> | undefined,
): Promise<Buffer> {
  const sizes = records.map((record) => room(record));
  const target = takeScratch(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const record of records) at = putRecord(target, at, record);
  const plain = target.subarray(0, at);
  try {
    return (await compress(plain)) ?? Buffer.from(plain);
  } finally {
    // Two batches at a time do not share one: the second has its own, and one of the two is kept.
    if (target.length <= SCRATCH_BYTES_MAX) scratch = target;
  }
}

function takeScratch(bytes: number): Buffer {
  const kept = scratch;
  scratch = undefined;
  if (kept !== undefined && kept.length >= bytes) return kept;
  let size = SCRATCH_BYTES;
  while (size < bytes) size *= 2;
  return Buffer.allocUnsafeSlow(size);
}

/** Bytes that the record takes at most. */
function room({ key, value, headers }: BatchRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + lengthOf(key) + lengthOf(value);
  for (const [name, one] of headerList(headers)) bytes += RECORD_OVERHEAD_BYTES + lengthOf(name) + lengthOf(one);
  return bytes;
}

function putRecord(target: Buffer, start: number, record: BatchRecord): number {
  const { offsetDelta = 0, timestampDelta = 0, key, value, headers } = record;
  const list = headerList(headers);
  let body = 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + sizeOf(key) + sizeOf(value);
  body += varintBytes(list.length);
  for (const [name, one] of list) body += sizeOf(name) + sizeOf(one);
  let at = putVarint(target, start, body);
  target[at] = 0;
  at = putVarint(target, at + 1, timestampDelta);
  at = putVarint(target, at, offsetDelta);
  at = putBytes(target, at, key);
  at = putBytes(target, at, value);
  at = putVarint(target, at, list.length);
  for (const [name, one] of list) at = putBytes(target, putBytes(target, at, name), one);
  return at;
}

const NO_HEADERS: readonly (readonly [string, Bytes])[] = [];

function headerList(headers: BatchRecord['headers']): readonly (readonly [string, Bytes])[] {
  if (headers === undefined) return NO_HEADERS;
  return Object.entries(headers).flatMap(([name, given]) =>
    Array.isArray(given)
      ? (given as readonly Bytes[]).map((one) => [name, one] as const)
      : [[name, given as Bytes] as const],
  );
}

const lengthOf = (bytes: Bytes): number =>
  bytes === null || bytes === undefined ? 0 : typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;

function sizeOf(bytes: Bytes): number {
  if (bytes === null || bytes === undefined) return 1;
  const length = lengthOf(bytes);
  return varintBytes(length) + length;
}

function putBytes(target: Buffer, start: number, bytes: Bytes): number {
  if (bytes === null || bytes === undefined) return putVarint(target, start, -1);
  const length = lengthOf(bytes);
  const at = putVarint(target, start, length);
  if (typeof bytes === 'string') target.write(bytes, at, length);
  else bytes.copy(target, at);
  return at + length;
}

/** Zigzag by arithmetic, for a difference of times may have more than 32 bits. */
const zigZag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigZag(value); rest >= 128; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

function putVarint(target: Buffer, start: number, value: number): number {
  let at = start;
  let rest = zigZag(value);
  for (; rest >= 128; rest = Math.floor(rest / 128)) target[at++] = (rest % 128) | 128;
  target[at] = rest;
  return at + 1;
}
