import type { CustomRules } from '@warder/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The one pack of the operator's own rules. */
@Entity({ name: 'custom_rules' })
export class CustomRulesRow {
  @PrimaryColumn({ type: 'int' })
  id!: number;

  /** 0 until somebody writes rules; the version on the bus. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'jsonb' })
  rules!: CustomRules;
}
