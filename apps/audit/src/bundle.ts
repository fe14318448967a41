import { AdminError } from '@warder/service-host';
import type { CheckpointStore, StoredCheckpoint } from './checkpoint.store.js';
import type { ExportedPiece } from './export-stream.js';
import type { UnnamedRecords } from './unnamed-records.store.js';

/**
 * The lines of a bundle: that it begins; for each log the checkpoint where it goes on from, and then each checkpoint
 * behind the records that it names; for each log of admin acts that had none the checkpoint where it stands; that it ends,
 * with how much, and which records of the time it lacks for no checkpoint names them. Where something cannot be read the last line says so
 * instead: a file that has no end was cut off, wherever a line of it ends.
 * @param from - ISO 8601; the records are those of checkpoints made in the time
 */
export async function* bundlePieces(from: string, to: string, store: CheckpointStore): AsyncGenerator<ExportedPiece> {
  yield pieceOf({ bundle: 'begin', from, to });
  let at: StoredCheckpoint | undefined;
  let previous: StoredCheckpoint | undefined;
  let [records, checkpoints, missing] = [0, 0, 0];
  let unnamed: readonly UnnamedRecords[] = [];
  try {
    for (at of await store.between(from, to)) {
      if (previous?.log !== at.log) {
        previous = at.leavesFrom === 0 ? undefined : await store.ofSize(at.log, at.leavesFrom);
        if (previous !== undefined) yield { text: `{"base":${previous.text}}\n`, records: 0 };
      }
      const named = await store.recordsOf(at, previous);
      for (const record of named) yield { text: lineOf(record), records: 1 };
      yield { text: `${at.text}\n`, records: 0 };
      records += named.length;
      missing += Math.max(0, at.size - at.leavesFrom - named.length);
      checkpoints += 1;
      previous = at;
    }
    for (const { text } of await store.quietAdmin(from, to)) yield { text: `{"base":${text}}\n`, records: 0 };
    unnamed = await store.unnamed(from, to);
  } catch (failure) {
    yield { ...pieceOf(brokenAt(failure, at)), failure };
    return;
  }
  yield pieceOf({ bundle: 'end', records, checkpoints, missing, unnamed });
}

/** Where it broke: the records of this range, and everything behind it, are not in the bundle. */
function brokenAt(failure: unknown, at: StoredCheckpoint | undefined): object {
  const { code, message } =
    failure instanceof AdminError ? failure : { code: 'WDR_INTERNAL', message: 'the bundle broke off' };
  const range = at && { log: at.log, from: at.leavesFrom, to: at.size };
  return { bundle: 'broken', code, message, ...range };
}

function pieceOf(line: object): ExportedPiece {
  return { text: `${JSON.stringify(line)}\n`, records: 0 };
}

/** A text with a line feed is no line, and must not become another text. */
function lineOf(record: string): string {
  return record.includes('\n') ? `${JSON.stringify({ exactly: record })}\n` : `${record}\n`;
}
