import type { MigrationInterface, QueryRunner } from 'typeorm';
import { BUILT_IN_PACKS } from '@warder/detectors';

/** Of a pack that was kept before, what is off now cannot be told from what it never had: all of it counts as known. */
export class KnownDetectors1790000081000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rule_pack ADD COLUMN known text[]');
    for (const [pack, detectors] of Object.entries(BUILT_IN_PACKS))
      await runner.query('UPDATE rule_pack SET known = $2 WHERE pack = $1', [pack, detectors]);
    await runner.query('UPDATE rule_pack SET known = detectors WHERE known IS NULL');
    await runner.query('ALTER TABLE rule_pack ALTER COLUMN known SET NOT NULL');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE rule_pack DROP COLUMN known');
  }
}
