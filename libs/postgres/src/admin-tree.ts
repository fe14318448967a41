import type { KeyObject } from 'node:crypto';
import { auditCheckpointTopic, auditRecordedTopic, CHECKPOINT_LEAVES_MAX } from '@warder/contracts';
import { CompactRange, LEAF_PREFIX_BYTES, makeCheckpoint } from '@warder/merkle-log';

/** The part of a connection that the tree asks through; each statement is a transaction. */
export interface TreeConnection {
  query<R extends object>(text: string, values: readonly unknown[]): Promise<R[]>;
}

interface Grown {
  readonly size: number;
  readonly frontier: string[];
  /** Leaves behind `size` whose records have been published; base64. */
  readonly leaves: string[] | null;
  readonly first: number | null;
  readonly last: number | null;
}

/**
 * A record counts when its row has left the outbox: rows of a log leave in the order of its numbers, so those that wait are
 * its last ones. A checkpoint then never names what nobody can have.
 */
const GROWN = `
  WITH published AS (
    SELECT index, leaf FROM admin_tree_leaf WHERE log = $1 ORDER BY index
    LIMIT greatest(0, least(${CHECKPOINT_LEAVES_MAX}, (SELECT count(*) FROM admin_tree_leaf WHERE log = $1)
      - (SELECT count(*) FROM outbox WHERE topic = '${auditRecordedTopic.name}')))
  )
  SELECT coalesce((SELECT size FROM admin_tree WHERE log = $1), 0)::float8 AS size,
    coalesce((SELECT frontier FROM admin_tree WHERE log = $1), '{}') AS frontier,
    (SELECT array_agg(encode(leaf, 'base64') ORDER BY index) FROM published) AS leaves,
    (SELECT min(index) FROM published)::float8 AS first,
    (SELECT max(index) FROM published)::float8 AS last`;

/**
 * One statement: the checkpoint is on its way, and the tree goes on behind it, or nothing of it happened. A second process
 * that made one from the same size changes nothing.
 */
const ADVANCE = `
  WITH advanced AS (
    INSERT INTO admin_tree AS tree (log, size, frontier) VALUES ($1, $2, $3::text[])
    ON CONFLICT (log) DO UPDATE SET size = EXCLUDED.size, frontier = EXCLUDED.frontier WHERE tree.size = $4
    RETURNING log
  ), named AS (
    DELETE FROM admin_tree_leaf AS leaf USING advanced WHERE leaf.log = advanced.log AND leaf.index < $2
  )
  INSERT INTO outbox (topic, key, value)
  SELECT '${auditCheckpointTopic.name}', $5, $6 FROM advanced WHERE $6::text IS NOT NULL`;

/**
 * Puts the next signed checkpoint of a log into the outbox, of what was published since the last one.
 * @param origin - the log, `admin/<service>`
 * @param privateKey - Ed25519; without one the tree goes on and nothing is signed
 * @returns records that it names; 0 where there is nothing new
 * @throws Error where leaves are missing, for somebody took them: a tree with a hole is not signed
 */
export async function advanceTree(
  connection: TreeConnection,
  origin: string,
  privateKey: KeyObject | undefined,
  atMs: number,
): Promise<number> {
  const [grown] = await connection.query<Grown>(GROWN, [origin]);
  const { size, frontier, leaves, first, last } = grown!;
  if (leaves === null) return 0;
  if (first !== size || last !== size + leaves.length - 1)
    throw new Error(`${origin} lacks leaves behind its record ${size - 1}: it is not signed any further`);
  const range = new CompactRange(
    size,
    frontier.map((hash) => Buffer.from(hash, 'base64')),
  );
  const hashes = leaves.map((leaf) => Buffer.from(leaf, 'base64'));
  for (const hash of hashes) range.append(hash);
  const prefixes = Buffer.concat(hashes.map((hash) => hash.subarray(0, LEAF_PREFIX_BYTES)));
  const state = { origin, range, leavesFrom: size, leaves: prefixes, atMs };
  const text = privateKey && JSON.stringify(makeCheckpoint(state, privateKey));
  const after = range.hashes.map((hash) => hash.toString('base64'));
  await connection.query(ADVANCE, [origin, range.size, after, size, `${origin}/${range.size}`, text ?? null]);
  return leaves.length;
}
