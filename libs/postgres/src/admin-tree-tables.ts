import { unknownBeginning } from '@warder/merkle-log';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The leaf of a record is made by the database, where the record is put into the outbox: in the same transaction,
 * whichever process of the service writes it, one of the version before this one too. What is hashed are the bytes that
 * `recordLeafOf` of @warder/merkle-log takes.
 */
const STATEMENTS = [
  // Before the tables: whoever is at a record now ends first, and nobody begins one until its leaf is kept.
  'LOCK TABLE admin_record_log, outbox IN SHARE ROW EXCLUSIVE MODE',
  `CREATE TABLE admin_tree (
    log text PRIMARY KEY,
    size bigint NOT NULL,
    frontier text[] NOT NULL
  )`,
  `CREATE TABLE admin_tree_leaf (
    log text NOT NULL,
    index bigint NOT NULL,
    leaf bytea NOT NULL,
    PRIMARY KEY (log, index)
  )`,
  `CREATE FUNCTION keep_admin_tree_leaf() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
  BEGIN
    INSERT INTO admin_tree_leaf (log, index, leaf) VALUES (
      NEW.value::json->>'log',
      (NEW.value::json->>'index')::bigint,
      sha256('\\x00'::bytea || convert_to(split_part(NEW.value, ',"personal":', 1) || '}', 'UTF8'))
    );
    RETURN NULL;
  END $$`,
  `CREATE TRIGGER outbox_admin_tree_leaf AFTER INSERT ON outbox FOR EACH ROW
   WHEN (NEW.topic = 'warder.audit.recorded.v1') EXECUTE FUNCTION keep_admin_tree_leaf()`,
];

/**
 * The Merkle tree of a service's log of admin acts: as it was at its last checkpoint, and the leaves behind it. The tree of
 * a log that had records before begins behind them.
 */
export class CreateAdminTree1790000000100 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
    const logs = (await runner.query('SELECT log, last_sequence::float8 AS size FROM admin_record_log')) as {
      log: string;
      size: number;
    }[];
    for (const { log, size } of logs) {
      const frontier = unknownBeginning(size).hashes.map((hash) => hash.toString('base64'));
      await runner.query('INSERT INTO admin_tree (log, size, frontier) VALUES ($1, $2, $3)', [log, size, frontier]);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TRIGGER outbox_admin_tree_leaf ON outbox');
    await runner.query('DROP FUNCTION keep_admin_tree_leaf');
    await runner.query('DROP TABLE admin_tree_leaf, admin_tree');
  }
}
