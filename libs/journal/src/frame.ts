import { crc32 } from 'node:zlib';

/** What a frame says of its sequence number: opened, closed, whole at once, or closed by recovery. */
export const FrameKind = { intent: 1, outcome: 2, record: 3, unknown: 4 } as const;
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind];

/** u32 CRC-32 of the rest | u32 payload bytes | u32 + u32 sequence, low half first | u8 kind | payload. */
export const FRAME_HEADER_BYTES = 17;
const LENGTH_AT = 4;
const SEQUENCE_AT = 8;
const KIND_AT = 16;
const TWO_TO_32 = 4_294_967_296;
/** Every payload is the text of a JSON object. */
const PAYLOAD_BEGINS = 0x7b;
/** A safe integer's upper half. */
const SEQUENCE_HIGH_MAX = 0x1f_ffff;

export interface Frame {
  readonly kind: FrameKind;
  readonly sequence: number;
  /** A view of the buffer that was read, not a copy. */
  readonly payload: Buffer;
  /** Offset of the byte behind the frame, in the buffer that was read. */
  readonly end: number;
}

/** Whether a frame of the kind is the first that its sequence number has. */
export function isBeginning(kind: FrameKind): boolean {
  return kind === FrameKind.intent || kind === FrameKind.record;
}

/**
 * Writes one frame into `target`, which must have `FRAME_HEADER_BYTES` and the text's UTF-8 bytes of room.
 * @param seed - number of the segment that the frame is for: the CRC starts from it, so that what a recycled file still
 * holds of its former number never verifies
 * @returns the offset behind it
 */
export function putFrame(
  target: Buffer,
  at: number,
  kind: FrameKind,
  sequence: number,
  text: string,
  seed: number,
): number {
  const payloadBytes = target.write(text, at + FRAME_HEADER_BYTES, 'utf8');
  const end = at + FRAME_HEADER_BYTES + payloadBytes;
  target.writeUInt32LE(payloadBytes, at + LENGTH_AT);
  target.writeUInt32LE(sequence % TWO_TO_32, at + SEQUENCE_AT);
  target.writeUInt32LE(Math.floor(sequence / TWO_TO_32), at + SEQUENCE_AT + 4);
  target[at + KIND_AT] = kind;
  sealFrame(target, at, end, seed);
  return end;
}

/** Gives a frame that stands at `at` the CRC of another segment. */
export function sealFrame(target: Buffer, at: number, end: number, seed: number): void {
  target.writeUInt32LE(crc32(target.subarray(at + LENGTH_AT, end), seed), at);
}

/** Bytes of the frame that starts at `at`, as its header claims; 0 where no frame can start. */
export function claimedFrameBytes(source: Buffer, at: number): number {
  if (at + FRAME_HEADER_BYTES >= source.length || source[at + FRAME_HEADER_BYTES] !== PAYLOAD_BEGINS) return 0;
  const kind = source[at + KIND_AT]!;
  if (kind < FrameKind.intent || kind > FrameKind.unknown) return 0;
  if (source.readUInt32LE(at + SEQUENCE_AT + 4) > SEQUENCE_HIGH_MAX) return 0;
  const payloadBytes = source.readUInt32LE(at + LENGTH_AT);
  return payloadBytes === 0 ? 0 : FRAME_HEADER_BYTES + payloadBytes;
}

/** The frame that starts at `at`, or `undefined` where none does: free space, a torn write, or damage. */
export function readFrame(source: Buffer, at: number, seed: number): Frame | undefined {
  const bytes = claimedFrameBytes(source, at);
  const end = at + bytes;
  if (bytes === 0 || end > source.length) return undefined;
  if (crc32(source.subarray(at + LENGTH_AT, end), seed) !== source.readUInt32LE(at)) return undefined;
  const sequence = sequenceAt(source, at);
  const payload = source.subarray(at + FRAME_HEADER_BYTES, end);
  return { kind: source[at + KIND_AT] as FrameKind, sequence, payload, end };
}

/**
 * Where the next whole frame starts behind something that is none. No text of a record can pass for a frame: JSON
 * escapes the control characters that a header is made of.
 * @returns its offset, or -1
 */
export function findFrame(source: Buffer, from: number, seed: number): number {
  for (let brace = from + FRAME_HEADER_BYTES - 1; ;) {
    brace = source.indexOf(PAYLOAD_BEGINS, brace + 1);
    if (brace < 0) return -1;
    const at = brace - FRAME_HEADER_BYTES;
    if (readFrame(source, at, seed) !== undefined) return at;
  }
}

/** The lowest sequence number of whole frames, or `otherwise` where that is lower. */
export function lowestSequence(frames: readonly Buffer[], otherwise: number): number {
  return frames.reduce((lowest, frame) => Math.min(lowest, sequenceAt(frame, 0)), otherwise);
}

function sequenceAt(source: Buffer, at: number): number {
  return source.readUInt32LE(at + SEQUENCE_AT) + source.readUInt32LE(at + SEQUENCE_AT + 4) * TWO_TO_32;
}
