import { crc32 } from 'node:zlib';
import type { RawEntry, RawMessage } from './bus.js';

/**
 * u32 bytes of key and value | u32 CRC-32 of the rest | u32 + u32 offset, low half first | f64 wall milliseconds | u32
 * bytes of the key | key | value. Numbers are little endian.
 */
export const FRAME_HEADER_BYTES = 28;
const CRC_AT = 4;
const OFFSET_AT = 8;
const TIMESTAMP_AT = 16;
const KEY_BYTES_AT = 24;
const TWO_TO_32 = 4_294_967_296;

/** A message that was read, with the place of the byte behind it in the buffer that it was read from. */
export interface ReadFrame {
  readonly offset: number;
  readonly message: RawMessage;
  readonly end: number;
}

/** Bytes that one message takes in a segment. */
export function frameBytesOf({ key, value }: RawEntry): number {
  return FRAME_HEADER_BYTES + Buffer.byteLength(key) + value.length;
}

/**
 * Writes one frame into `target`, which must have its bytes of room.
 * @returns the place behind it
 */
export function putFrame(target: Buffer, at: number, offset: number, entry: RawEntry, timestampMs: number): number {
  const keyBytes = target.write(entry.key, at + FRAME_HEADER_BYTES, 'utf8');
  entry.value.copy(target, at + FRAME_HEADER_BYTES + keyBytes);
  const end = at + FRAME_HEADER_BYTES + keyBytes + entry.value.length;
  target.writeUInt32LE(keyBytes + entry.value.length, at);
  target.writeUInt32LE(offset % TWO_TO_32, at + OFFSET_AT);
  target.writeUInt32LE(Math.floor(offset / TWO_TO_32), at + OFFSET_AT + 4);
  target.writeDoubleLE(timestampMs, at + TIMESTAMP_AT);
  target.writeUInt32LE(keyBytes, at + KEY_BYTES_AT);
  target.writeUInt32LE(crc32(target.subarray(at + OFFSET_AT, end)), at + CRC_AT);
  return end;
}

/** Bytes of the frame that starts at `at`, as its header claims; 0 where the buffer holds no whole header. */
export function claimedFrameBytes(source: Buffer, at: number): number {
  return at + FRAME_HEADER_BYTES > source.length ? 0 : FRAME_HEADER_BYTES + source.readUInt32LE(at);
}

/** The frame that starts at `at`, or `undefined` where none does: a torn write, or damage. */
export function readFrame(source: Buffer, at: number): ReadFrame | undefined {
  const bytes = claimedFrameBytes(source, at);
  const end = at + bytes;
  if (bytes === 0 || end > source.length) return undefined;
  const keyBytes = source.readUInt32LE(at + KEY_BYTES_AT);
  if (FRAME_HEADER_BYTES + keyBytes > bytes) return undefined;
  if (crc32(source.subarray(at + OFFSET_AT, end)) !== source.readUInt32LE(at + CRC_AT)) return undefined;
  const offset = source.readUInt32LE(at + OFFSET_AT) + source.readUInt32LE(at + OFFSET_AT + 4) * TWO_TO_32;
  const valueAt = at + FRAME_HEADER_BYTES + keyBytes;
  const message: RawMessage = {
    key: source.toString('utf8', at + FRAME_HEADER_BYTES, valueAt),
    value: source.subarray(valueAt, end),
    partition: 0,
    offset: String(offset),
    timestampMs: source.readDoubleLE(at + TIMESTAMP_AT),
  };
  return { offset, message, end };
}

/**
 * The place of the first whole frame from `at` on whose offset is one of those that can stand there. Values are JSON
 * text, in which no NUL can stand, and every header has one: nobody can plant a frame in a message.
 */
export function findFrame(source: Buffer, at: number, offsets: { from: number; below: number }): number | undefined {
  for (let place = at; place + FRAME_HEADER_BYTES <= source.length; place += 1) {
    const offset = source.readUInt32LE(place + OFFSET_AT) + source.readUInt32LE(place + OFFSET_AT + 4) * TWO_TO_32;
    if (offset < offsets.from || offset >= offsets.below) continue;
    if (readFrame(source, place) !== undefined) return place;
  }
  return undefined;
}
