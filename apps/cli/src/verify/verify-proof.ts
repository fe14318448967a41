import { AuditCheckpoint } from '@warder/contracts';
import { commitmentTo, partsOf, readCheckpoint, recordLeafOf, verifyInclusion } from '@warder/merkle-log';
import { z } from 'zod';
import { type NamedKey, signerOf } from './public-keys.js';

/** What `GET /admin/audit/calls/:id/proof` answers. */
const Proof = z.object({
  record: z.string(),
  index: z.int().min(0),
  path: z.array(z.base64().length(44)).max(64),
  checkpoint: AuditCheckpoint,
});

/** Whether a proof holds, and a sentence on it. */
export interface ProofReport {
  readonly isProved: boolean;
  readonly text: string;
}

/**
 * Verifies that one record stands in a log whose head is signed.
 * @throws Error where the text is no proof
 */
export function verifyProof(text: string, keys: readonly NamedKey[]): ProofReport {
  const proof = Proof.safeParse(JSON.parse(text));
  if (!proof.success) throw new Error('the file is no proof of a record');
  const { record, index, path, checkpoint } = proof.data;
  const head = readCheckpoint(checkpoint);
  if ('fault' in head) return { isProved: false, text: `the checkpoint was altered: ${head.fault}` };
  const signer = signerOf(head, keys);
  if (signer === undefined)
    return { isProved: false, text: 'the checkpoint is not signed by a key that may sign this log' };
  const bytes = Buffer.from(record);
  const hashes = path.map((hash) => Buffer.from(hash, 'base64'));
  if (!verifyInclusion({ index, size: head.size, root: head.root }, recordLeafOf(bytes), hashes)) {
    return { isProved: false, text: `the record does not stand at ${index} of ${head.origin}` };
  }
  const { personal } = partsOf(bytes);
  const { commitment } = JSON.parse(record) as { commitment?: unknown };
  if (personal && commitmentTo(personal) !== commitment) {
    return { isProved: false, text: 'the personal part of the record was altered' };
  }
  const erased = personal === null ? ', its personal part is erased' : '';
  const signed = new Date(head.atMs).toISOString();
  return {
    isProved: true,
    text: `record ${index} of ${head.origin} is proved${erased}: ${signer.file} signed it on ${signed}`,
  };
}
