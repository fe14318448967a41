/** A place in a log: the number of a segment and a byte in it, as one number that grows along the log. */
export type Position = number;

const SEGMENT_STRIDE = 4_294_967_296;

export function positionOf(segment: number, offset: number): Position {
  return segment * SEGMENT_STRIDE + offset;
}

export function segmentOf(position: Position): number {
  return Math.floor(position / SEGMENT_STRIDE);
}

export function offsetOf(position: Position): number {
  return position % SEGMENT_STRIDE;
}
