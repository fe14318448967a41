import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateActionMatrix1790000091000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE action_matrix (
      id int PRIMARY KEY CHECK (id = 1),
      version int NOT NULL,
      rules jsonb NOT NULL
    )`);
    await runner.query(`INSERT INTO action_matrix (id, version, rules) VALUES (1, 0, '[]')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE action_matrix');
  }
}
