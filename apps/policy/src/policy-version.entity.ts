import { Column, Entity, PrimaryColumn } from 'typeorm';

/** One version of the document. Text, not jsonb: a NUL in a description is no reason to refuse it, nor order to lose. */
@Entity({ name: 'policy_version' })
export class PolicyVersion {
  @PrimaryColumn({ type: 'int' })
  version!: number;

  @Column({ type: 'text' })
  document!: string;

  @Column({ type: 'text' })
  origin!: 'initial' | 'file' | 'api';

  /** Wall milliseconds, as text because a bigint is. */
  @Column({ name: 'created_at_ms', type: 'bigint' })
  createdAtMs!: string;
}
