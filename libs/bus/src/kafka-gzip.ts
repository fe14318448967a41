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
    compress: (encoder: { readonly buffer: Buffer }) => compress(encoder.buffer, { level: constants.Z_BEST_SPEED }),
    decompress: (bytes: Buffer) => decompress(bytes),
  });
}
