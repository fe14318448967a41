import { sealedComment } from '@warder/secrets';
import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which columns hold sealed values, for a turn of the key and a move to another store. A verifier of a consent that is
 * under way is not among them: it is good for minutes, and whoever is late begins again.
 */
const SEALED = [
  { table: 'connection', row: 'id' },
  { table: 'token_ending', row: 'connection_id' },
].flatMap(({ table, row }) => ['access_token', 'refresh_token'].map((column) => ({ table, row, column })));

export class NameSealedColumns1790000060000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const { table, row, column } of SEALED) {
      // Tokens that wait for their end are those of the connection still, moved as they were.
      const comment = sealedComment({ table: 'connection', column, row, generation: 'generation', key: 'id' });
      await runner.query(`COMMENT ON COLUMN ${table}.${column} IS '${comment}'`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const { table, column } of SEALED) await runner.query(`COMMENT ON COLUMN ${table}.${column} IS NULL`);
  }
}
