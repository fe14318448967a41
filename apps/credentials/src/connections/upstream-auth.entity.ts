import type { UpstreamAuthKind } from '@warder/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How calls of an upstream are authenticated there. */
@Entity({ name: 'upstream_auth' })
export class UpstreamAuth {
  @PrimaryColumn({ type: 'text' })
  upstream!: string;

  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'text' })
  status!: 'active' | 'removed';

  @Column({ type: 'text' })
  kind!: UpstreamAuthKind;

  @Column({ type: 'text', nullable: true })
  provider!: string | null;

  @Column({ name: 'changed_at_ms', type: 'bigint' })
  changedAtMs!: string;
}
