import { Column, Entity, PrimaryColumn } from 'typeorm';

/** That an upstream has a credential, and which; the secret itself stands in the secret store only. */
@Entity({ name: 'static_credential' })
export class StaticCredential {
  @PrimaryColumn({ type: 'text' })
  upstream!: string;

  /** Grows with every change, a revocation included; a row is never deleted. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'text' })
  status!: 'active' | 'revoked';

  @Column({ type: 'text' })
  kind!: 'header' | 'environment';

  @Column({ type: 'text' })
  name!: string;

  /** Wall milliseconds, as text because a bigint is. */
  @Column({ name: 'changed_at_ms', type: 'bigint' })
  changedAtMs!: string;
}
