import type { Principal } from './principal.entity.js';

/** The row after a change: what the change names, everything else as it was, and the next version. */
export function nextVersion<Row extends { version: number }>(row: Row, change: Partial<Row>): Row {
  return Object.assign({}, row, change, { version: row.version + 1 });
}

/**
 * The same of a principal. With a program's stop its tokens end for good: it comes for new ones by itself, and what was
 * cut off because somebody had it does not live again with the day on which its owner is back.
 * @param nowMs - wall milliseconds
 */
export function accountVersion(before: Principal, change: Partial<Principal>, nowMs: number): Principal {
  const { status = before.status } = change;
  const isStop = before.kind === 'service' && before.status === 'active' && status !== 'active';
  return nextVersion(before, isStop ? { ...change, signedOutAtMs: String(nowMs) } : change);
}
