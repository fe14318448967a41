import { closeSync, openSync, readdirSync, readSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** u32 magic | u32 CRC-32 of the rest | u32 + u32 first sequence that the segment may hold, low half first. */
export const SEGMENT_HEADER_BYTES = 16;
const MAGIC = 0x4a524457;
const TWO_TO_32 = 4_294_967_296;
const SUFFIX = '.segment';
const ZEROES = Buffer.alloc(1 << 20);

export function segmentPath(dir: string, number: number): string {
  return join(dir, String(number).padStart(10, '0') + SUFFIX);
}

/** The numbers of a log's segments, growing. */
export function segmentNumbers(dir: string): number[] {
  const names = readdirSync(dir).filter((name) => name.endsWith(SUFFIX));
  return names.map((name) => Number.parseInt(name, 10)).sort((a, b) => a - b);
}

/** Fills a new file with zeroes, so that the disk is full here and not under a call. Blocks. */
export function preallocateSync(path: string, bytes: number): void {
  const fd = openSync(path, 'w');
  try {
    for (let at = 0; at < bytes;) at += writeSync(fd, ZEROES, 0, Math.min(ZEROES.length, bytes - at), at);
  } finally {
    closeSync(fd);
  }
}

/** The same without blocking. */
export async function preallocate(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < bytes;) {
      at += (await file.write(ZEROES, 0, Math.min(ZEROES.length, bytes - at), at)).bytesWritten;
    }
  } finally {
    await file.close();
  }
}

export function writeSegmentHeader(fd: number, firstSequence: number): void {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(firstSequence % TWO_TO_32, 8);
  header.writeUInt32LE(Math.floor(firstSequence / TWO_TO_32), 12);
  header.writeUInt32LE(crc32(header.subarray(8)), 4);
  writeSync(fd, header, 0, SEGMENT_HEADER_BYTES, 0);
}

/** The first sequence that the segment may hold, or `undefined` when the header is not one of ours. */
export function readSegmentHeader(fd: number): number | undefined {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  if (readSync(fd, header, 0, SEGMENT_HEADER_BYTES, 0) < SEGMENT_HEADER_BYTES) return undefined;
  if (header.readUInt32LE(0) !== MAGIC || header.readUInt32LE(4) !== crc32(header.subarray(8))) return undefined;
  return header.readUInt32LE(8) + header.readUInt32LE(12) * TWO_TO_32;
}

/** Puts zeroes over what a torn write left behind `offset`. */
export function clearBehind(fd: number, offset: number, capacityBytes: number): void {
  const bytes = Math.min(ZEROES.length, capacityBytes - offset);
  if (bytes > 0) writeSync(fd, ZEROES, 0, bytes, offset);
}
