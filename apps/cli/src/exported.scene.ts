import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CompactRange, makeCheckpoint, recordLeafOf, TreeRange, unknownBeginning } from '@warder/merkle-log';

export const LOG = 'n1/0abc';

/** One record's text, as a journal joins it. */
export function recordText(index: number, { sequence = index + 1, log = LOG, kind = 'call', told = {} } = {}): string {
  const personal = JSON.stringify({ salt: `salt-of-${index}`, arguments: { bytes: 9, value: told } });
  const commitment = createHash('sha256').update(personal).digest('hex');
  const core = { log, sequence, index, commitment, kind, tool: `tool ${index}` };
  return `${JSON.stringify(core).slice(0, -1)},"personal":${personal}}`;
}

/** An honest log, as lines of an export: records and, behind each range, its checkpoint. */
export class HonestLog {
  readonly keys: { privateKey: KeyObject; publicKey: KeyObject } = generateKeyPairSync('ed25519');
  readonly records: string[] = [];
  readonly checkpoints: string[] = [];
  private readonly range: CompactRange;
  private readonly leaves: Buffer[] = [];
  private named: number;

  /** @param before - records that the log had before it had a tree */
  constructor(
    readonly name = LOG,
    private readonly before = 0,
  ) {
    this.range = unknownBeginning(before);
    this.named = before;
  }

  append(count: number, how: Parameters<typeof recordText>[1] = {}): this {
    for (let n = 0; n < count; n++) {
      const text = recordText(this.range.size, { log: this.name, ...how });
      const leaf = recordLeafOf(Buffer.from(text));
      this.records.push(text);
      this.leaves.push(leaf);
      this.range.append(leaf);
    }
    return this;
  }

  checkpoint(privateKey = this.keys.privateKey, atMs = 1_790_000_000_000): this {
    const leaves = Buffer.concat(this.leaves.slice(this.named - this.before).map((leaf) => leaf.subarray(0, 8)));
    const state = { origin: this.name, range: this.range, leavesFrom: this.named, leaves, atMs };
    this.checkpoints.push(JSON.stringify(makeCheckpoint(state, privateKey)));
    this.named = this.range.size;
    return this;
  }

  /** What `GET /admin/audit/calls/:id/proof` answers for a record, by the last checkpoint. */
  proofOf(index: number): string {
    const known = this.leaves.slice(0, this.named - this.before);
    const path = new TreeRange(unknownBeginning(this.before), known).inclusionProof(index);
    const checkpoint: unknown = JSON.parse(this.checkpoints.at(-1)!);
    return JSON.stringify({
      record: this.records[index - this.before],
      index,
      path: path.map((hash) => hash.toString('base64')),
      checkpoint,
    });
  }
}

/** Writes an export: each entry a file of lines, and the keys beside them. */
export function writeExport(files: Record<string, readonly string[]>, keys: Record<string, KeyObject>): string {
  const dir = mkdtempSync(join(tmpdir(), 'warder-export-'));
  for (const [name, lines] of Object.entries(files))
    writeFileSync(join(dir, name), lines.map((line) => `${line}\n`).join(''));
  mkdirSync(join(dir, 'public-keys'));
  for (const [name, key] of Object.entries(keys)) {
    writeFileSync(join(dir, 'public-keys', name), key.export({ type: 'spki', format: 'pem' }));
  }
  return dir;
}
