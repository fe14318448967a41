import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CreateCustomRules1790000095000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE custom_rules (
      id int PRIMARY KEY CHECK (id = 1),
      version int NOT NULL,
      rules jsonb NOT NULL
    )`);
    await runner.query(`INSERT INTO custom_rules (id, version, rules)
      VALUES (1, 0, '{"patterns": [], "dictionaries": [], "allow": [], "exact": []}')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE custom_rules');
  }
}
