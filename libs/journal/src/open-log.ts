import { FRAME_HEADER_BYTES, FrameKind } from './frame.js';
import { type JournalOptions, SEGMENT_BYTES } from './journal-options.js';
import { LogProgress } from './log-progress.js';
import { LogWriter } from './log-writer.js';
import type { Ownership } from './ownership.js';
import { OUTCOME_BYTES_MAX, UNKNOWN_OUTCOME } from './record-text.js';
import { recoverLog } from './recovery.js';
import { SegmentStore } from './segment-store.js';
import { readWatermark } from './watermark.js';

/** A log that this process owns, recovered and ready to be written and drained. */
export interface OpenLog {
  readonly name: string;
  readonly dir: string;
  readonly ownership: Ownership;
  readonly progress: LogProgress;
  readonly segments: SegmentStore;
  readonly writer: LogWriter;
  /** Records that were not known to be delivered when it was opened. */
  readonly undeliveredAtStart: number;
  readonly firstSequence: number;
}

/**
 * Opens a log where an earlier process left it, or starts it. Intents without an outcome are closed as unknown.
 * @throws the disk's error
 */
export function openLog(at: { name: string; dir: string; ownership: Ownership }, options: JournalOptions): OpenLog {
  const progress = new LogProgress();
  const segments = new SegmentStore({
    dir: at.dir,
    segmentBytes: options.segmentBytes ?? SEGMENT_BYTES,
    sizeMaxBytes: options.sizeMaxBytes,
    outcomeFrameBytesMax: FRAME_HEADER_BYTES + OUTCOME_BYTES_MAX,
    progress,
    log: options.log,
  });
  const watermark = readWatermark(at.dir);
  const recovered = recoverLog(at.dir, watermark);
  if (recovered === undefined) segments.start(1);
  else segments.resume(recovered.end);
  progress.delivered = Math.min(watermark, progress.committed);
  const firstSequence = recovered?.nextSequence ?? 1;
  const writer = new LogWriter(segments, options.log, firstSequence);
  for (const orphan of recovered?.orphans ?? []) {
    writer.adoptOpen(orphan);
    void writer.end(FrameKind.unknown, orphan, UNKNOWN_OUTCOME);
  }
  writer.flush();
  if (recovered?.orphans.length) {
    options.log.warn(
      { log: at.name, count: recovered.orphans.length },
      'calls without an outcome are recorded as unknown',
    );
  }
  return { ...at, progress, segments, writer, undeliveredAtStart: recovered?.undelivered ?? 0, firstSequence };
}

/** Records of the log that are not acknowledged, those of open calls included. */
export function undeliveredOf(log: OpenLog): number {
  const begun = log.undeliveredAtStart + log.writer.next - log.firstSequence;
  return Math.max(0, begun - log.progress.acknowledged);
}
