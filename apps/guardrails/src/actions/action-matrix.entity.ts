import type { ActionRules } from '@warder/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The one matrix: what becomes of findings. */
@Entity({ name: 'action_matrix' })
export class ActionMatrixRow {
  @PrimaryColumn({ type: 'int' })
  id!: number;

  /** 0 until somebody writes rules; the version on the bus. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'jsonb' })
  rules!: ActionRules;
}
