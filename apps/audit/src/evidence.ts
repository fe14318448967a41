import { AuditCheckpoint } from '@warder/contracts';
import { CompactRange, type ReadCheckpoint, readCheckpoint, recordLeafOf, TreeRange } from '@warder/merkle-log';
import { AdminError } from '@warder/service-host';
import type { CheckpointStore, StoredCheckpoint } from './checkpoint.store.js';
import type { ExportedPiece } from './export-stream.js';

/**
 * What proves one record: its exact text, its place, its path in the tree and the checkpoint whose root the path leads to.
 * @throws AdminError 409 WDR_RECORD_UNPROVEN where no checkpoint names the record yet, or the records of its range
 * are not those that it names
 */
export async function proofOf(record: string, store: CheckpointStore): Promise<string> {
  const { log, index } = JSON.parse(record) as { log: string; index?: number };
  if (index === undefined) throw unproven('the record has no place in a tree');
  const candidates = await store.naming(log, index);
  if (candidates.length === 0) throw unproven('no checkpoint names the record yet');
  for (const checkpoint of candidates) {
    const tree = await treeOf(checkpoint, store);
    if (tree === undefined) continue;
    const path = tree.inclusionProof(index).map((hash) => hash.toString('base64'));
    // The record as a text in a text: read and written again, it might have other bytes.
    return `{"record":${JSON.stringify(record)},"index":${index},"path":${JSON.stringify(path)},"checkpoint":${checkpoint.text}}`;
  }
  throw unproven('the records of its range are not those of the checkpoint');
}

/** The tree that a checkpoint is of, from the records in the store; `undefined` where they are not those that it names. */
async function treeOf(checkpoint: StoredCheckpoint, store: CheckpointStore): Promise<TreeRange | undefined> {
  const { log, leavesFrom, size } = checkpoint;
  const previous = leavesFrom === 0 ? undefined : await store.ofSize(log, leavesFrom);
  const beginning = leavesFrom === 0 ? new CompactRange() : readStored(previous)?.range;
  const records = await store.recordsOf(checkpoint, previous);
  if (beginning === undefined || records.length !== size - leavesFrom) return undefined;
  const tree = new TreeRange(
    beginning,
    records.map((text) => recordLeafOf(Buffer.from(text))),
  );
  return readStored(checkpoint)?.root.equals(tree.root()) ? tree : undefined;
}

/**
 * The lines of a bundle: for each log the checkpoint where it goes on from, and then each checkpoint behind the records
 * that it names.
 * @param from - ISO 8601; the records are those of checkpoints made in the time
 */
export async function* bundlePieces(from: string, to: string, store: CheckpointStore): AsyncGenerator<ExportedPiece> {
  let previous: StoredCheckpoint | undefined;
  for (const checkpoint of await store.between(from, to)) {
    if (previous?.log !== checkpoint.log) {
      previous = checkpoint.leavesFrom === 0 ? undefined : await store.ofSize(checkpoint.log, checkpoint.leavesFrom);
      if (previous !== undefined) yield { text: `{"base":${previous.text}}\n`, records: 0 };
    }
    for (const record of await store.recordsOf(checkpoint, previous)) yield { text: lineOf(record), records: 1 };
    yield { text: `${checkpoint.text}\n`, records: 0 };
    previous = checkpoint;
  }
}

/** A text with a line feed is no line, and must not become another text. */
function lineOf(record: string): string {
  return record.includes('\n') ? `${JSON.stringify({ exactly: record })}\n` : `${record}\n`;
}

function readStored(checkpoint: StoredCheckpoint | undefined): ReadCheckpoint | undefined {
  if (checkpoint === undefined) return undefined;
  const read = readCheckpoint(AuditCheckpoint.parse(JSON.parse(checkpoint.text)));
  return 'fault' in read ? undefined : read;
}

function unproven(reason: string): AdminError {
  return new AdminError(409, 'WDR_RECORD_UNPROVEN', reason);
}
