import { crc32 } from 'node:zlib';

/** What a frame says of its sequence number: opened, closed, whole at once, or closed by recovery. */
export const FrameKind = { intent: 1, outcome: 2, record: 3, unknown: 4 } as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** u32 payload bytes | u32 CRC-32 of the rest | u32 + u32 sequence, low half first | u8 kind | payload. */
export const FRAME_HEADER_BYTES = 17;
const SEQUENCE_AT = 8;
const KIND_AT = 16;
const TWO_TO_32 = 4_294_967_296;

export interface Frame {
  readonly kind: FrameKind;
  readonly sequence: number;
  /** A view of the buffer that was read, not a copy. */
  readonly payload: Buffer;
  /** Offset of the byte behind the frame, in the buffer that was read. */
  readonly end: number;
}

/**
 * Writes one frame into `target`, which must have `FRAME_HEADER_BYTES` and the text's UTF-8 bytes of room.
 * @returns the offset behind it
 */
export function putFrame(target: Buffer, at: number, kind: FrameKind, sequence: number, text: string): number {
  const payloadBytes = target.write(text, at + FRAME_HEADER_BYTES, 'utf8');
  const end = at + FRAME_HEADER_BYTES + payloadBytes;
  target.writeUInt32LE(payloadBytes, at);
  target.writeUInt32LE(sequence % TWO_TO_32, at + SEQUENCE_AT);
  target.writeUInt32LE(Math.floor(sequence / TWO_TO_32), at + SEQUENCE_AT + 4);
  target[at + KIND_AT] = kind;
  target.writeUInt32LE(crc32(target.subarray(at + SEQUENCE_AT, end)), at + 4);
  return end;
}

/** Bytes of the frame that starts at `at`, as its header claims; 0 where no frame starts. */
export function claimedFrameBytes(source: Buffer, at: number): number {
  if (at + 4 > source.length) return 0;
  const payloadBytes = source.readUInt32LE(at);
  return payloadBytes === 0 ? 0 : FRAME_HEADER_BYTES + payloadBytes;
}

/** The frame that starts at `at`, or `undefined` where none does: free space, a torn write, or damage. */
export function readFrame(source: Buffer, at: number): Frame | undefined {
  const bytes = claimedFrameBytes(source, at);
  const end = at + bytes;
  if (bytes === 0 || end > source.length) return undefined;
  if (crc32(source.subarray(at + SEQUENCE_AT, end)) !== source.readUInt32LE(at + 4)) return undefined;
  const sequence = source.readUInt32LE(at + SEQUENCE_AT) + source.readUInt32LE(at + SEQUENCE_AT + 4) * TWO_TO_32;
  const payload = source.subarray(at + FRAME_HEADER_BYTES, end);
  return { kind: source[at + KIND_AT] as FrameKind, sequence, payload, end };
}
