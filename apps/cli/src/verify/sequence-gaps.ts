import type { ExportedLog, SequenceRange } from './exported-log.js';
import type { Finding } from './finding.js';

const RANGES_SHOWN = 5;

/**
 * The sequence numbers between the first and the last of the export that have no record. A number is given when an
 * operation begins and its record comes when it is whole, so a number may be missing because the operation still ran; the
 * tree, which holds what became whole, is what proves that no record was taken away.
 * @param from - first index that is covered; at 0 the first sequence is 1
 */
export function sequenceFindings(log: ExportedLog, from: number): Finding[] {
  const sequences = [...new Set(log.records.map(({ sequence }) => sequence))].sort((one, other) => one - other);
  const [first] = sequences;
  if (first === undefined) return [];
  const missing: SequenceRange[] = [];
  let expected = from === 0 ? 1 : first;
  for (const sequence of sequences) {
    if (sequence > expected) missing.push({ from: expected, to: sequence - 1 });
    expected = sequence + 1;
  }
  return [...findingOf(missing, log, true), ...findingOf(missing, log, false)];
}

function findingOf(missing: readonly SequenceRange[], log: ExportedLog, isTold: boolean): Finding[] {
  const toldOf = (range: SequenceRange): boolean =>
    log.toldLost.some(({ from, to }) => from <= range.from && to >= range.to);
  const ranges = missing.filter((range) => toldOf(range) === isTold);
  if (ranges.length === 0) return [];
  const shown = ranges.slice(0, RANGES_SHOWN).map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  const more = ranges.length > RANGES_SHOWN ? ` and ${ranges.length - RANGES_SHOWN} more ranges` : '';
  const why = isTold ? 'a gap record tells of them' : 'their operations may still have run';
  const text = `the sequence numbers ${shown.join(', ')}${more} have no record: ${why}`;
  return [{ weight: 'notice', what: 'sequence-missing', text }];
}
