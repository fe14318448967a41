import type { RawMessage } from '@warder/bus';
import { auditRecordedTopic } from '@warder/contracts';
import { Metrics } from '@warder/telemetry';
import { describe, expect, it } from 'vitest';
import { Ingest } from './ingest.js';
import type { RecordRow, RecordSink } from './store-batch.js';

/** A store that answers when it is told to, and remembers what it was sent. */
class HeldSink implements RecordSink {
  readonly sent: string[][] = [];
  private readonly answers: ((error?: Error) => void)[] = [];
  atOnce = 0;
  atOnceMax = 0;

  insert(rows: readonly RecordRow[]): Promise<number> {
    this.sent.push(rows.map(({ message }) => `${message.partition}/${message.offset}`));
    this.atOnceMax = Math.max(this.atOnceMax, ++this.atOnce);
    return new Promise((resolve, reject) => {
      this.answers.push((error) => {
        this.atOnce--;
        if (error === undefined) resolve(rows.length);
        else reject(error);
      });
    });
  }

  faultOf(): string | undefined {
    return undefined;
  }

  async quarantine(): Promise<void> {}

  answer(error?: Error): void {
    this.answers.shift()!(error);
  }
}

const batchOf = (partition: number, from: number, count: number): RawMessage[] =>
  Array.from({ length: count }, (_, n) => ({
    key: 'k',
    value: Buffer.from(JSON.stringify(auditRecordedTopic.example)),
    partition,
    offset: String(from + n),
    timestampMs: 0,
  }));
const quiet = { warn() {} };
const turns = async (): Promise<void> => {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
};

describe('ingest', () => {
  it('stores what comes together at once, and settles no batch before it is stored', async () => {
    const sink = new HeldSink();
    const ingest = new Ingest(sink, quiet, new Metrics());
    const settled: number[] = [];
    const taken = [0, 1, 2].map(async (partition) => {
      await ingest.take(batchOf(partition, 0, 2));
      settled.push(partition);
    });
    await turns();
    expect(sink.sent).toEqual([['0/0', '0/1', '1/0', '1/1', '2/0', '2/1']]);
    expect(settled).toEqual([]);
    sink.answer();
    await Promise.all(taken);
    expect(settled).toEqual([0, 1, 2]);
  });

  it('reads what comes meanwhile, and has one transaction at the store at a time, in the order of coming', async () => {
    const sink = new HeldSink();
    const ingest = new Ingest(sink, quiet, new Metrics());
    const first = ingest.take(batchOf(0, 0, 1));
    await turns();
    const second = ingest.take(batchOf(1, 0, 1));
    const third = ingest.take(batchOf(2, 0, 1));
    await turns();
    expect(sink.sent).toEqual([['0/0']]);
    sink.answer();
    await first;
    await turns();
    expect(sink.sent).toEqual([['0/0'], ['1/0', '2/0']]);
    sink.answer();
    await Promise.all([second, third]);
    expect(sink.atOnceMax).toBe(1);
  });

  it('keeps a transaction within its bound', async () => {
    const sink = new HeldSink();
    const ingest = new Ingest(sink, quiet, new Metrics());
    const taken = [0, 1, 2, 3].map((partition) => ingest.take(batchOf(partition, 0, 1_536)));
    while (sink.sent.length < 1) await turns();
    sink.answer();
    while (sink.sent.length < 2) await turns();
    sink.answer();
    await Promise.all(taken);
    expect(sink.sent.map(({ length }) => length)).toEqual([4_608, 1_536]);
  });

  it('gives back every batch of a transaction that failed, and goes on with those behind it', async () => {
    const sink = new HeldSink();
    const ingest = new Ingest(sink, quiet, new Metrics());
    const failed = [0, 1].map((partition) => ingest.take(batchOf(partition, 0, 1)).catch((error: Error) => error));
    await turns();
    const behind = ingest.take(batchOf(2, 0, 1));
    await turns();
    sink.answer(new Error('away'));
    expect((await Promise.all(failed)).map((error) => (error as Error).message)).toEqual(['away', 'away']);
    await turns();
    sink.answer();
    await behind;
    expect(sink.sent).toEqual([['0/0', '1/0'], ['2/0']]);
  });

  it('stores the other partitions although one has a batch that is never taken', async () => {
    const sink: RecordSink = {
      insert: async (rows) => {
        if (rows.some(({ message }) => message.partition === 0)) throw new Error('a fault that is nobody’s value');
        return rows.length;
      },
      faultOf: () => undefined,
      quarantine: async () => {},
    };
    const ingest = new Ingest(sink, quiet, new Metrics());
    const stored = new Set<number>();
    for (let tries = 0; tries < 3; tries++) {
      // As the bus does: what failed comes again, and those behind it wait.
      const coming = [0, 1, 2].filter((partition) => !stored.has(partition));
      await Promise.all(
        coming.map((partition) =>
          ingest.take(batchOf(partition, 0, 2)).then(
            () => stored.add(partition),
            () => {},
          ),
        ),
      );
    }
    expect(stored).toEqual(new Set([1, 2]));
  });

  it('stores batches together again once each was stored', async () => {
    const sink = new HeldSink();
    const ingest = new Ingest(sink, quiet, new Metrics());
    const takeBoth = (from: number) =>
      Promise.allSettled([0, 1].map((partition) => ingest.take(batchOf(partition, from, 1))));
    const failing = takeBoth(0);
    await turns();
    sink.answer(new Error('away'));
    await failing;
    const again = takeBoth(0);
    await turns();
    sink.answer();
    await turns();
    sink.answer();
    await again;
    const behind = takeBoth(1);
    await turns();
    sink.answer();
    await behind;
    expect(sink.sent).toEqual([['0/0', '1/0'], ['0/0'], ['1/0'], ['0/1', '1/1']]);
  });
});
