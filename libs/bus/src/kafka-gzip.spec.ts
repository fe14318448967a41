import { gzipSync } from 'node:zlib';
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { useFastGzip } from './kafka-gzip.js';

const codec = () => {
  useFastGzip();
  return (
    kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP] as unknown as () => {
      compress(batch: { buffer: Buffer }): Promise<Buffer>;
      decompress(bytes: Buffer): Promise<Buffer>;
    }
  )();
};

it('gives back what was compressed, of any size', async () => {
  for (const bytes of [0, 1, 3_000_000]) {
    const buffer = Buffer.alloc(bytes, 'a record ');
    expect((await codec().decompress(await codec().compress({ buffer }))).equals(buffer)).toBe(true);
  }
});

it('inflates no more than its bound, however little came', async () => {
  const bomb = gzipSync(Buffer.alloc(134_217_729), { level: 9 });
  expect(bomb.length).toBeLessThan(1_048_576);
  await expect(codec().decompress(bomb)).rejects.toMatchObject({ code: 'ERR_BUFFER_TOO_LARGE' });
});
