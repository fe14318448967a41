import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

const NEWLINE = 0x0a;

export interface Compressed {
  readonly records: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly ndjsonBytes: number;
  readonly ndjsonSha256: string;
}

/**
 * Writes `from` compressed to `draft`, flushes it and gives it the name `to`, so that no half file ever has that name.
 * A piece at a time, whatever the size.
 */
export async function compressFile(from: string, draft: string, to: string): Promise<Compressed> {
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  const counts = { records: 0, ndjsonBytes: 0, bytes: 0 };
  const handle = await open(draft, 'w', 0o640);
  try {
    await pipeline(
      createReadStream(from),
      tap(plain, (piece) => {
        counts.ndjsonBytes += piece.length;
        for (let at = piece.indexOf(NEWLINE); at >= 0; at = piece.indexOf(NEWLINE, at + 1)) counts.records++;
      }),
      createGzip(),
      tap(packed, (piece) => (counts.bytes += piece.length)),
      async (pieces: AsyncIterable<Buffer>) => {
        for await (const piece of pieces)
          for (let at = 0; at < piece.length;) at += (await handle.write(piece, at)).bytesWritten;
      },
    );
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, to);
  return { ...counts, sha256: packed.digest('hex'), ndjsonSha256: plain.digest('hex') };
}

function tap(hash: Hash, see: (piece: Buffer) => void): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      hash.update(piece);
      see(piece);
      done(null, piece);
    },
  });
}
