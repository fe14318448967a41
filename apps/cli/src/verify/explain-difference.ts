import { LEAF_PREFIX_BYTES, leafHashOf } from '@warder/merkle-log';
import type { ExportedRecord } from './exported-log.js';
import type { Finding } from './finding.js';

const END = Buffer.from('}');
/** Other places that a record is tried at. */
const PLACES_TRIED_MAX = 1_000;
const NUMBERS = /^(\{"log":"(?:[^"\\]|\\.)*","sequence":)(\d+)(,"index":)(\d+)(?=,)/;

/** What the checkpoints say and what the export holds, by index. */
export interface Comparison {
  /** The signed prefix of the leaf at an index. */
  readonly expectedAt: (index: number) => Buffer | undefined;
  readonly recordAt: (index: number) => ExportedRecord | undefined;
  /** Indexes whose record is missing or another one, growing. */
  readonly differing: readonly number[];
}

/** A finding, and whether it explains every difference behind it. */
export interface Explained {
  readonly finding: Finding;
  readonly explainsTheRest: boolean;
}

/**
 * Says what was done at the first place that differs. A record knows its index, so one that was moved or renumbered is
 * found by trying the place that it would have had: with that index written in it, it has the leaf that was signed.
 */
export function explainDifference(index: number, comparison: Comparison): Explained {
  const { recordAt, expectedAt, differing } = comparison;
  const record = recordAt(index);
  const next = recordAt(index + 1);
  if (record === undefined) {
    return { finding: found('record-removed', index, next, `record ${index} was removed`), explainsTheRest: false };
  }
  const belongsLater = belongsAt(record, index + 1, comparison);
  const nextBelongsHere = next !== undefined && belongsAt(next, index, comparison);
  if (nextBelongsHere && !belongsLater) {
    const text = `record ${index} was inserted, and those behind it were renumbered`;
    return { finding: found('record-inserted', index, record, text), explainsTheRest: true };
  }
  const isLast = next === undefined || expectedAt(index + 2) === undefined;
  if (belongsLater && !nextBelongsHere && (isLast || belongsAt(next, index + 2, comparison))) {
    const text = `record ${index} was removed, and those behind it were renumbered`;
    return { finding: found('record-removed', index, record, text), explainsTheRest: true };
  }
  const place = differing.slice(0, PLACES_TRIED_MAX).find((other) => belongsAt(record, other, comparison));
  const text =
    place === undefined
      ? `record ${index} (sequence ${record.sequence}) was altered`
      : `record ${index} is the one that was recorded as ${place}: the order was changed`;
  const what = place === undefined ? 'record-altered' : 'record-reordered';
  return { finding: found(what, index, record, text), explainsTheRest: false };
}

function found(what: Finding['what'], index: number, at: ExportedRecord | undefined, text: string): Finding {
  return { weight: 'tampered', what, index, text, ...(at && { at: `${at.file}:${at.line}` }) };
}

/** Whether the record has the signed leaf of that index once the index, and maybe another sequence, is written in it. */
function belongsAt(record: ExportedRecord, index: number, { expectedAt, recordAt }: Comparison): boolean {
  const expected = expectedAt(index);
  if (expected === undefined || record.index === undefined) return false;
  const core = record.core().toString('utf8');
  const sequences = [record.sequence, recordAt(index)?.sequence, record.sequence + index - record.index];
  return sequences.some((sequence) => {
    if (sequence === undefined) return false;
    const moved = core.replace(
      NUMBERS,
      (_, log: string, _sequence: string, name: string) => `${log}${sequence}${name}${index}`,
    );
    return moved !== core && isLeafAt(leafHashOf(Buffer.from(moved), END), expected);
  });
}

/** Whether the leaf is the signed one, as far as its prefix tells. */
export function isLeafAt(leaf: Buffer | undefined, expected: Buffer | undefined): boolean {
  return leaf !== undefined && expected !== undefined && leaf.subarray(0, LEAF_PREFIX_BYTES).equals(expected);
}
