import { AuditCheckpoint } from '@warder/contracts';
import { type ReadCheckpoint, readCheckpoint, recordLeafOf, TreeRange, unknownBeginning } from '@warder/merkle-log';
import { AdminError } from '@warder/service-host';
import type { CheckpointStore, StoredCheckpoint } from './checkpoint.store.js';

/**
 * What proves one record: its exact text, its place, its path in the tree and the checkpoint whose root the path leads to.
 * @throws AdminError 409 WDR_RECORD_UNPROVEN where no checkpoint names the record yet, or the records of its range
 * are not those that it names
 */
export async function proofOf(record: string, store: CheckpointStore): Promise<string> {
  const { log, index } = JSON.parse(record) as { log: string; index?: unknown };
  if (!isPlace(index)) throw unproven('the record has no place in a tree');
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
  // Where none is before it the tree may begin here, behind records that it says nothing of: its root tells.
  const beginning = previous === undefined ? unknownBeginning(leavesFrom) : readStored(previous)?.range;
  const records = await store.recordsOf(checkpoint, previous);
  if (beginning === undefined || records.length !== size - leavesFrom) return undefined;
  const tree = new TreeRange(
    beginning,
    records.map((text) => recordLeafOf(Buffer.from(text))),
  );
  return readStored(checkpoint)?.root.equals(tree.root()) ? tree : undefined;
}

/** A record's text is as it came, and may say anything of its place. */
function isPlace(index: unknown): index is number {
  return Number.isSafeInteger(index) && (index as number) >= 0;
}

function readStored(checkpoint: StoredCheckpoint | undefined): ReadCheckpoint | undefined {
  if (checkpoint === undefined) return undefined;
  const read = readCheckpoint(AuditCheckpoint.parse(JSON.parse(checkpoint.text)));
  return 'fault' in read ? undefined : read;
}

function unproven(reason: string): AdminError {
  return new AdminError(409, 'WDR_RECORD_UNPROVEN', reason);
}
