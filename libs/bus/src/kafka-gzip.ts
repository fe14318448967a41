import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import kafkajs from 'kafkajs';

const compress = promisify(gzip);
const decompress = promisify(gunzip);

/**
 * Has kafkajs compress at level 1 instead of 6: a third of the time for a tenth more bytes, and the time is spent beside
 * the calls that the records are of.
 */
export function useFastGzip(): void {
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.GZIP] = () => ({
    compress: ({ buffer }: { readonly buffer: Buffer }) =>
      compress(buffer, { level: constants.Z_BEST_SPEED, chunkSize: chunkBytesFor(buffer.length >> 1) }),
    decompress: (bytes: Buffer) =>
      decompress(bytes, { chunkSize: chunkBytesFor(plainBytesOf(bytes)), maxOutputLength: PLAIN_BYTES_MAX }),
  });
}

/** Bytes of a batch, sixteen times what any topic takes: brokers measure what is compressed, and one writer could end every reader. */
const PLAIN_BYTES_MAX = 134_217_728;
const CHUNK_BYTES_MIN = 16_384;
const CHUNK_BYTES_MAX = 1_048_576;

/** Room that mostly takes all at once: each further piece is a turn through the thread pool and a copy. */
function chunkBytesFor(expectedBytes: number): number {
  return Math.min(CHUNK_BYTES_MAX, Math.max(CHUNK_BYTES_MIN, expectedBytes));
}

/** What the stream says of its plain size (RFC 1952 section 2.3.1, ISIZE); a lie costs no more than the bound. */
function plainBytesOf(bytes: Buffer): number {
  return bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
}
