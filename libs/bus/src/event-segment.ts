import { type FileHandle, open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FRAME_HEADER_BYTES, claimedFrameBytes, findFrame, readFrame } from './event-frame.js';

const SUFFIX = '.events';
const OFFSET_DIGITS = 16;

/** One file of a log. The next one's first offset bounds what this one may hold. */
export interface Segment {
  readonly firstOffset: number;
  readonly file: string;
  /** Bytes that were made durable; what stands behind them was never acknowledged. */
  bytes: number;
  /** Wall milliseconds of its first message, or of its making while it has none. */
  readonly firstMs: number;
  /** Wall milliseconds that no message of it is younger than. */
  lastMs: number;
}

/** What the scan of a log's last segment found. */
export interface ScannedSegment {
  /** Bytes up to the end of the last whole frame. */
  bytes: number;
  /** Offset behind that of the last whole frame. */
  nextOffset: number;
  lastMs: number;
  /** Places in the middle where no frame could be read. */
  damages: number;
}

export function segmentFileOf(dir: string, firstOffset: number): string {
  return join(dir, String(firstOffset).padStart(OFFSET_DIGITS, '0') + SUFFIX);
}

/** The segments of a directory, oldest first, as their names and first frames tell. */
export async function listSegments(dir: string): Promise<Segment[]> {
  const names = (await readdir(dir)).filter((name) => name.endsWith(SUFFIX)).toSorted();
  const segments: Segment[] = [];
  for (const name of names) {
    const firstOffset = Number(name.slice(0, -SUFFIX.length));
    if (!Number.isSafeInteger(firstOffset)) continue;
    const file = join(dir, name);
    const { size, mtimeMs } = await stat(file);
    const firstMs = (await firstTimestampOf(file)) ?? mtimeMs;
    const before = segments.at(-1);
    if (before !== undefined) before.lastMs = Math.max(before.firstMs, firstMs);
    segments.push({ firstOffset, file, bytes: size, firstMs, lastMs: Math.max(firstMs, mtimeMs) });
  }
  return segments;
}

/** Reads a whole segment and says how far it can be read, past damaged places. */
export async function scanSegment(segment: Segment): Promise<ScannedSegment> {
  const handle = await open(segment.file, 'r');
  try {
    const source = await readBytes(handle, 0, segment.bytes);
    const scanned = { bytes: 0, nextOffset: segment.firstOffset, lastMs: segment.firstMs, damages: 0 };
    for (let at: number | undefined = 0; at !== undefined;) {
      const frame = readFrame(source, at);
      if (frame === undefined) {
        at = findFrame(source, at + 1, { from: scanned.nextOffset, below: Number.MAX_SAFE_INTEGER });
        if (at !== undefined) scanned.damages += 1;
        continue;
      }
      scanned.bytes = at = frame.end;
      scanned.nextOffset = frame.offset + 1;
      scanned.lastMs = Math.max(scanned.lastMs, frame.message.timestampMs);
    }
    return scanned;
  } finally {
    await handle.close();
  }
}

/** Reads up to that many bytes; fewer where the file ends. */
export async function readBytes(handle: FileHandle, position: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await handle.read(buffer, filled, bytes - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Makes the names in a directory durable: a new file is lost with the power before this, its content synced or not. */
export async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function firstTimestampOf(file: string): Promise<number | undefined> {
  const handle = await open(file, 'r');
  try {
    const header = await readBytes(handle, 0, FRAME_HEADER_BYTES);
    const bytes = claimedFrameBytes(header, 0);
    if (bytes === 0 || bytes > (await handle.stat()).size) return undefined;
    return readFrame(await readBytes(handle, 0, bytes), 0)?.message.timestampMs;
  } finally {
    await handle.close();
  }
}
