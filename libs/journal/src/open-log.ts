import { FRAME_HEADER_BYTES, FrameKind } from './frame.js';
import { gapRecordText, type LostRange } from './gap-record.js';
import { nodeFiles } from './journal-files.js';
import { type JournalOptions, SEGMENT_BYTES, SYNC_EVERY_MS } from './journal-options.js';
import { LogProgress } from './log-progress.js';
import { LogWriter } from './log-writer.js';
import type { Ownership } from './ownership.js';
import { OUTCOME_BYTES_MAX, UNKNOWN_OUTCOME } from './record-text.js';
import { type Recovered, recoverLog } from './recovery.js';
import { sealedRecords } from './sealed-checkpoints.js';
import { SegmentStore } from './segment-store.js';
import { SyncedNote } from './synced-note.js';
import { type DeliveryState, readDeliveryState } from './delivery-state.js';

/** Gap records of one recovery; of more gaps the last one tells the span that holds the rest. */
const GAP_RECORDS_MAX = 64;

/** A log that this process owns, recovered and ready to be written and drained. */
export interface OpenLog {
  readonly name: string;
  readonly dir: string;
  readonly ownership: Ownership;
  readonly progress: LogProgress;
  readonly segments: SegmentStore;
  readonly note: SyncedNote;
  readonly writer: LogWriter;
  /** Records that were not known to be delivered when it was opened. */
  readonly undeliveredAtStart: number;
  readonly firstSequence: number;
  /** What a drain misses below it, a gap record tells of. */
  toldBelow: number;
}

/**
 * Opens a log where an earlier process left it, or starts it. Intents without an outcome are closed as unknown, and
 * records that are lost are told by records of kind `gap`.
 * @throws the disk's error
 */
export function openLog(at: { name: string; dir: string; ownership: Ownership }, options: JournalOptions): OpenLog {
  const { log, files = nodeFiles, syncEveryMs = SYNC_EVERY_MS } = options;
  const progress = new LogProgress();
  const state = readDeliveryState(at.dir);
  const watermark = state?.delivered ?? 0;
  const recovered = recoverLog(at.dir, watermark, state?.read);
  const segments = new SegmentStore({
    dir: at.dir,
    segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
    sizeMaxBytes: options.sizeMaxBytes,
    outcomeFrameBytesMax: FRAME_HEADER_BYTES + OUTCOME_BYTES_MAX,
    progress,
    log,
    files,
  });
  goOn(segments, recovered);
  progress.delivered = Math.min(watermark, progress.committed);
  progress.deliveredBelow = recovered?.firstSequence ?? 1;
  progress.unnamed = options.checkpoints === undefined ? 0 : unnamedOf(state) + sealedRecords(at.dir);
  const note = new SyncedNote(at.dir, files, log, progress);
  const firstSequence = recovered?.nextSequence ?? 1;
  const writer = new LogWriter({ segments, note, files, log, syncEveryMs }, firstSequence);
  for (const orphan of recovered?.orphans ?? []) {
    writer.adoptOpen(orphan);
    void writer.end(FrameKind.unknown, orphan, UNKNOWN_OUTCOME);
  }
  if (recovered !== undefined) tellLosses(at.name, recovered, writer, options);
  progress.addDamage(recovered?.damagedBytes ?? 0);
  writer.flush();
  return {
    ...at,
    progress,
    segments,
    note,
    writer,
    undeliveredAtStart: recovered?.undelivered ?? 0,
    firstSequence,
    toldBelow: firstSequence,
  };
}

/** Set here as well as by the drain, which may be in a thread that has not begun. */
function unnamedOf(state: DeliveryState | undefined): number {
  return state?.tree === undefined ? 0 : state.tree.size - state.tree.leavesFrom;
}

function goOn(segments: SegmentStore, recovered: Recovered | undefined): void {
  if (recovered?.canResume) return segments.resume(recovered.end);
  const { nextNumber: number = 0, nextSequence: firstSequence = 1, end: continues = 0 } = recovered ?? {};
  segments.start({ number, firstSequence, continues });
}

function tellLosses(name: string, recovered: Recovered, writer: LogWriter, options: JournalOptions): void {
  const { log, node, clock } = options;
  const { orphans, lost, damagedBytes, misplaced } = recovered;
  if (orphans.length > 0) {
    log.warn({ log: name, count: orphans.length }, 'calls without an outcome are recorded as unknown');
  }
  if (misplaced > 0) log.error({ log: name, count: misplaced }, 'segments of the journal had wrong names');
  if (damagedBytes > 0 || lost.length > 0) {
    const records = countOf(lost);
    log.error({ log: name, bytes: damagedBytes, records }, 'the journal is damaged: what it lost is recorded as gaps');
  }
  for (const [index, { from, to, count }] of merged(lost).entries()) {
    // The bytes of all gaps stand in the first: which byte was of which record is what nobody knows.
    const told = { lostFrom: from, lostTo: to, count, bytes: index === 0 ? damagedBytes : 0 };
    writer.tell(gapRecordText({ node, atMs: clock.wallMs?.() ?? Date.now(), count, told }));
  }
}

/** Records that the log lost records which had been written by this process. The drain may say so twice. */
export function tellLost(log: OpenLog, lost: LostRange, options: JournalOptions): void {
  const { name, writer, progress } = log;
  const from = Math.max(lost.from, log.toldBelow);
  const count = lost.to - from + 1;
  if (count <= 0) return;
  log.toldBelow = lost.to + 1;
  options.log.error({ log: name, from, to: lost.to }, 'records of the journal are lost: a gap record tells of them');
  const told = { lostFrom: from, lostTo: lost.to, count, bytes: progress.damagedBytes };
  writer.tell(gapRecordText({ node: options.node, atMs: options.clock.wallMs?.() ?? Date.now(), count, told }));
}

function merged(lost: readonly LostRange[]): (LostRange & { count: number })[] {
  const ranges = lost.slice(0, GAP_RECORDS_MAX - 1).map((range) => ({ ...range, count: countOf([range]) }));
  const rest = lost.slice(GAP_RECORDS_MAX - 1);
  const [first] = rest;
  if (first !== undefined) ranges.push({ from: first.from, to: rest.at(-1)!.to, count: countOf(rest) });
  return ranges;
}

function countOf(ranges: readonly LostRange[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0);
}

/** Records of the log that are not acknowledged, those of open calls included. */
export function undeliveredOf(log: OpenLog): number {
  // What was damaged while it waited is never acknowledged, and nobody waits for it either.
  if (log.writer.isSettled && log.progress.delivered >= log.segments.end) return 0;
  const begun = log.undeliveredAtStart + log.writer.next - log.firstSequence;
  return Math.max(0, begun - log.progress.acknowledged);
}
