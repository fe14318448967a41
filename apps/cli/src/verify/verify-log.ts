import { CompactRange, LEAF_PREFIX_BYTES, type ReadCheckpoint, unknownBeginning } from '@warder/merkle-log';
import { explainDifference, isLeafAt } from './explain-difference.js';
import type { ExportedCheckpoint, ExportedLog, ExportedRecord } from './exported-log.js';
import type { Finding, LogReport } from './finding.js';
import { type NamedKey, signerOf } from './public-keys.js';
import { sequenceFindings } from './sequence-gaps.js';

const FINDINGS_MAX = 20;

/** A checkpoint that holds together and is signed, and where it stands. */
interface Trusted {
  readonly from: ExportedCheckpoint;
  readonly head: ReadCheckpoint;
  readonly isBase: boolean;
}

/**
 * Compares the records of one log with its signed checkpoints: each record with the leaf that a checkpoint names, and all
 * of a checkpoint's records together with its root.
 */
export function verifyLog(log: ExportedLog, keys: readonly NamedKey[]): LogReport {
  const verification = new LogVerification(log, keys);
  verification.run();
  return verification.report();
}

class LogVerification {
  private readonly findings: Finding[] = [];
  private readonly signers = new Set<string>();
  private readonly trusted: Trusted[] = [];
  private readonly byIndex = new Map<number, ExportedRecord>();
  /** The leaf that is signed for an index, as far as its prefix tells. */
  private readonly expected = new Map<number, Buffer>();
  private readonly differing: number[] = [];
  private from = 0;
  private to = 0;

  constructor(
    private readonly log: ExportedLog,
    private readonly keys: readonly NamedKey[],
  ) {}

  run(): void {
    for (const checkpoint of this.log.checkpoints) this.trust(checkpoint);
    this.trusted.sort((one, other) => one.head.size - other.head.size || Number(other.isBase) - Number(one.isBase));
    if (this.trusted.length === 0) {
      this.say({ weight: 'unproven', what: 'no-checkpoint', text: 'no signed checkpoint names its records' });
      return;
    }
    this.expectLeaves();
    this.placeRecords();
    this.walk();
    this.explain();
    this.judgeRest();
  }

  report(): LogReport {
    const { log, from, to, byIndex, trusted, signers } = this;
    const hidden = this.findings.length - FINDINGS_MAX;
    const findings = this.findings.slice(0, FINDINGS_MAX);
    if (hidden > 0) findings.push({ ...this.findings[FINDINGS_MAX]!, text: `and ${hidden} more` });
    const inside = [...byIndex.values()].filter(({ index }) => index! >= from && index! < to);
    return {
      log: log.name,
      from,
      to,
      records: inside.length,
      checkpoints: trusted.filter(({ isBase }) => !isBase).length,
      erased: inside.filter(({ personal }) => personal === 'erased').length,
      signers: [...signers].sort(),
      findings,
    };
  }

  private trust(checkpoint: ExportedCheckpoint): void {
    const at = placeOf(checkpoint);
    const { size, read, isBase } = checkpoint;
    if ('fault' in read) {
      const text = `the checkpoint of size ${size} was altered: ${read.fault}`;
      this.say({ weight: 'tampered', what: 'checkpoint-altered', at, text });
      return;
    }
    const signer = signerOf(read, this.keys);
    if (signer === undefined) {
      const text = `the checkpoint of size ${size} is not signed by a key that may sign this log`;
      this.say({ weight: 'tampered', what: 'checkpoint-unsigned', at, text });
      return;
    }
    this.signers.add(signer.file);
    this.trusted.push({ from: checkpoint, head: read, isBase });
  }

  private expectLeaves(): void {
    for (const { head, from, isBase } of this.trusted) {
      if (isBase) continue;
      for (let index = head.leavesFrom; index < head.size; index++) {
        const at = (index - head.leavesFrom) * LEAF_PREFIX_BYTES;
        const prefix = head.leaves.subarray(at, at + LEAF_PREFIX_BYTES);
        const other = this.expected.get(index);
        if (other === undefined) this.expected.set(index, prefix);
        else if (!other.equals(prefix)) return this.sayForked(index, from);
      }
    }
  }

  private sayForked(index: number, at: ExportedCheckpoint): void {
    const text = `two signed checkpoints name different records ${index}: the log has two histories`;
    this.say({ weight: 'tampered', what: 'checkpoint-forked', index, at: placeOf(at), text });
  }

  private placeRecords(): void {
    for (const record of this.log.records) {
      const { index } = record;
      if (index === undefined) continue;
      const other = this.byIndex.get(index);
      const isBetter = other === undefined || isLeafAt(record.leaf, this.expected.get(index));
      const rejected = isBetter ? other : record;
      if (isBetter) this.byIndex.set(index, record);
      if (rejected !== undefined && !rejected.leaf.equals(this.byIndex.get(index)!.leaf)) {
        const text = `a second record ${index} was inserted (sequence ${rejected.sequence})`;
        this.say({ weight: 'tampered', what: 'record-inserted', index, at: placeOf(rejected), text });
      }
    }
  }

  /** Goes from checkpoint to checkpoint; behind a difference it goes on from the signed frontier. */
  private walk(): void {
    const [first] = this.trusted;
    let range = this.beginning(first!);
    this.from = first!.isBase ? first!.head.size : first!.head.leavesFrom;
    this.to = this.from;
    for (const { head, from, isBase } of this.trusted) {
      if (isBase) {
        if (head.size >= this.to) range = head.range.copy();
        continue;
      }
      if (head.leavesFrom > this.to) this.sayMissing(this.to, head.leavesFrom, from);
      const before = this.differing.length;
      for (let index = this.to; index < head.size; index++) {
        const record = this.byIndex.get(index);
        const expected = this.expected.get(index);
        if (record === undefined || (expected !== undefined && !isLeafAt(record.leaf, expected)))
          this.differing.push(index);
        else range?.append(record.leaf);
      }
      const isWhole = this.differing.length === before;
      if (isWhole && range !== undefined && !range.root().equals(head.root)) {
        const text = `records ${Math.min(this.to, head.leavesFrom)} to ${head.size - 1} do not lead to the signed root of size ${head.size}`;
        this.say({ weight: 'tampered', what: 'root-differs', at: placeOf(from), text });
      }
      range = head.range.copy();
      this.to = Math.max(this.to, head.size);
    }
  }

  private beginning({ head, from, isBase }: Trusted): CompactRange | undefined {
    if (isBase) return head.range.copy();
    if (head.leavesFrom === 0) return new CompactRange();
    const unknown = this.unknownBefore(head);
    if (unknown !== undefined) return unknown;
    const text = `the checkpoint of size ${head.leavesFrom} is not in the export, so the first root cannot be compared`;
    this.say({ weight: 'unproven', what: 'starts-later', at: placeOf(from), text });
    return undefined;
  }

  /** A log that had records before it had a tree begins behind as many leaves of nothing, which the signed root shows. */
  private unknownBefore({ leavesFrom, size, root }: ReadCheckpoint): CompactRange | undefined {
    const range = unknownBeginning(leavesFrom);
    const grown = range.copy();
    for (let record = this.byIndex.get(leavesFrom); record !== undefined && grown.size < size;) {
      grown.append(record.leaf);
      record = this.byIndex.get(grown.size);
    }
    if (grown.size !== size || !grown.root().equals(root)) return undefined;
    const text = `the tree begins at record ${leavesFrom}: nothing is signed of the ${leavesFrom} before it`;
    this.say({ weight: 'notice', what: 'tree-begins', index: leavesFrom, text });
    return range;
  }

  private sayMissing(size: number, begins: number, at: ExportedCheckpoint): void {
    const text = `a checkpoint was removed: the one of size ${size} is followed by one that begins at ${begins}`;
    this.say({ weight: 'tampered', what: 'checkpoint-missing', index: size, at: placeOf(at), text });
  }

  private explain(): void {
    const comparison = {
      expectedAt: (index: number) => this.expected.get(index),
      recordAt: (index: number) => this.byIndex.get(index),
      differing: this.differing,
    };
    for (const index of this.differing.slice(0, FINDINGS_MAX)) {
      const { finding, explainsTheRest } = explainDifference(index, comparison);
      this.say(finding);
      if (explainsTheRest) return;
    }
    const rest = this.differing.length - FINDINGS_MAX;
    if (rest > 0) {
      const text = `${rest} more records differ`;
      this.say({ weight: 'tampered', what: 'record-altered', index: this.differing[FINDINGS_MAX]!, text });
    }
  }

  private judgeRest(): void {
    const { from, to } = this;
    for (const record of this.byIndex.values()) {
      if (record.personal !== 'altered') continue;
      const text = `the personal part of record ${record.index} was altered`;
      this.say({ weight: 'tampered', what: 'personal-altered', index: record.index!, at: placeOf(record), text });
    }
    const later = [...this.byIndex.keys()].filter((index) => index >= to).length;
    if (later > 0) {
      this.say({ weight: 'notice', what: 'not-covered', text: `${later} records are newer than the last checkpoint` });
    }
    const earlier = [...this.byIndex.keys()].filter((index) => index < from).length;
    if (earlier > 0) {
      this.say({
        weight: 'unproven',
        what: 'not-covered',
        text: `${earlier} records are older than the first checkpoint`,
      });
    }
    const placeless = this.log.records.filter(({ index }) => index === undefined);
    if (placeless[0] !== undefined) {
      const text = `${placeless.length} records have no place in the tree`;
      this.say({ weight: 'unproven', what: 'no-place', at: placeOf(placeless[0]), text });
    }
    for (const finding of sequenceFindings(this.log, from)) this.say(finding);
  }

  private say(finding: Finding): void {
    this.findings.push(finding);
  }
}

function placeOf({ file, line }: { file: string; line: number }): string {
  return `${file}:${line}`;
}
