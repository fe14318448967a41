import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import {
  type Batch,
  type BatchRecord,
  kafkajsParts,
  recordBatchOf,
  useFastRecordBatches,
} from './kafka-record-batch.js';

const load = createRequire(import.meta.url);
const parts = kafkajsParts(load);
type Encoded = { readonly buffer: Buffer; size(): number };
// The originals: nothing in this process has replaced them.
const originalRecord = load('kafkajs/src/protocol/recordBatch/record/v0') as (record: BatchRecord) => Encoded;
const { RecordBatch: originalBatch } = load('kafkajs/src/protocol/recordBatch/v0') as {
  readonly RecordBatch: (batch: Omit<Batch, 'records'> & { records: Encoded[] }) => Promise<Encoded>;
};
const ours = recordBatchOf(parts);

const text = (length: number): string => 'grüße, "x" \u0000'.repeat(length).slice(0, length);
const RECORDS: readonly BatchRecord[] = [
  {},
  { key: null, value: null },
  { key: '', value: Buffer.alloc(0) },
  { key: Buffer.from('k'), value: '{"a":1}', offsetDelta: 1, timestampDelta: 1 },
  { key: text(63), value: text(64), offsetDelta: 63, timestampDelta: 63 },
  { key: text(64), value: Buffer.from(text(8_191)), offsetDelta: 64, timestampDelta: 64 },
  { value: text(300_000), offsetDelta: 8_191, timestampDelta: 8_192 },
  { value: 'x', offsetDelta: 8_192, timestampDelta: -1 },
  { value: 'x', offsetDelta: 2 ** 30 - 1, timestampDelta: 2 ** 31 },
  { value: 'x', offsetDelta: 5, timestampDelta: 1_791_000_000_000 },
  { value: 'x', offsetDelta: 5, timestampDelta: -1_791_000_000_000 },
  { value: 'x', headers: {} },
  { value: 'x', headers: { signature: 'ü', bytes: Buffer.from([0, 255]), many: ['a', Buffer.from('b'), ''] } },
];

/** The bytes of a batch, as hex: ours and those of kafkajs. */
async function both(batch: Batch): Promise<[string, string]> {
  const { records = [] } = batch;
  const expected = await originalBatch({ ...batch, records: records.map((record) => originalRecord(record)) });
  const actual = (await ours(batch)) as unknown as Encoded;
  return [hexOf(actual), hexOf(expected)];
}

const hexOf = (encoded: Encoded): string => `${encoded.size()} ${encoded.buffer.toString('hex')}`;

const TIMES = { firstTimestamp: 1_791_000_000_000, maxTimestamp: 1_791_000_000_123 };

it.each([0, 1])('writes each record as kafkajs 2.2.4 does, to the byte, with codec %i', async (compression) => {
  expect((load('kafkajs/package.json') as { version: string }).version).toBe('2.2.4');
  const alone = RECORDS.map((record) => ({ ...TIMES, compression, records: [record] }));
  const batches = [...alone, { ...TIMES, compression, records: RECORDS }, { ...TIMES, compression, records: [] }];
  for (const [actual, expected] of await Promise.all(batches.map(both))) expect(actual).toBe(expected);
});

it('writes each field of a batch as kafkajs does', async () => {
  const [actual, expected] = await both({
    ...TIMES,
    records: RECORDS,
    compression: 1,
    firstOffset: 9_007_199_254_740_991,
    partitionLeaderEpoch: 7,
    lastOffsetDelta: 12,
    transactional: true,
    producerId: '4611686018427387904',
    producerEpoch: 32_767,
    firstSequence: 2 ** 31 - 1,
  });
  expect(actual).toBe(expected);
});

it('keeps batches apart that are encoded at the same time, whatever their size', async () => {
  const batches = Array.from({ length: 20 }, (_, index) => ({
    ...TIMES,
    compression: index % 2,
    records: Array.from({ length: 1 + index }, (_each, offsetDelta) => ({
      offsetDelta,
      key: `k${index}`,
      value: String(index).repeat(1 + index * 3_000),
    })),
  }));
  for (const [actual, expected] of await Promise.all(batches.map(both))) expect(actual).toBe(expected);
});

it('is in place before the first batch, and once', () => {
  expect(useFastRecordBatches()).toBe(true);
  const replaced = load('kafkajs/src/protocol/recordBatch/v0') as { RecordBatch: unknown };
  expect(replaced.RecordBatch).not.toBe(originalBatch);
  expect(useFastRecordBatches()).toBe(true);
});
