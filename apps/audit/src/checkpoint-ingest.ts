import type { RawMessage } from '@warder/bus';
import { AuditCheckpoint } from '@warder/contracts';
import { readCheckpoint } from '@warder/merkle-log';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Where checkpoints and what is none go. */
export interface CheckpointSink {
  /** @throws an error that `faultOf` tells apart from an outage */
  insert(checkpoint: AuditCheckpoint, text: string): Promise<void>;
  /** The reason why the store refuses this very checkpoint, or `undefined` where it failed for another reason. */
  faultOf(error: unknown): string | undefined;
  quarantine(message: RawMessage, reason: string): Promise<void>;
}

/**
 * Stores a batch of checkpoints, one by one, for they are few; what is none is set aside and cannot keep the others out.
 * Whether one is signed by whom it should be is the verifier's question: a forged one is evidence, too.
 * @returns how many were set aside
 */
export async function storeCheckpoints(batch: readonly RawMessage[], sink: CheckpointSink): Promise<number> {
  let refused = 0;
  for (const message of batch) {
    const reason = await storeOne(message, sink);
    if (reason === undefined) continue;
    await sink.quarantine(message, reason);
    refused++;
  }
  return refused;
}

async function storeOne(message: RawMessage, sink: CheckpointSink): Promise<string | undefined> {
  let text: string;
  let parsed: unknown;
  try {
    text = utf8.decode(message.value);
    parsed = JSON.parse(text);
  } catch {
    return 'not JSON in UTF-8';
  }
  const read = AuditCheckpoint.safeParse(parsed);
  if (!read.success) return 'not a checkpoint';
  const checked = readCheckpoint(read.data);
  if ('fault' in checked) return `not a checkpoint: ${checked.fault}`;
  try {
    await sink.insert(read.data, text);
    return undefined;
  } catch (error) {
    const fault = sink.faultOf(error);
    if (fault === undefined) throw error;
    return fault;
  }
}
