import type { ServiceName } from '@warder/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A join token, of which its verifier alone is kept; good for one node and for one key of it. */
@Entity({ name: 'join_token' })
export class JoinToken {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  node!: string;

  /** As a node of which it lets in. */
  @Column({ type: 'text' })
  service!: ServiceName;

  @Column({ type: 'text' })
  verifier!: string;

  /** Wall milliseconds; null of a token that is given with the node's other secrets. */
  @Column({ name: 'expires_at_ms', type: 'bigint', nullable: true })
  expiresAtMs!: string | null;

  @Column({ name: 'used_at_ms', type: 'bigint', nullable: true })
  usedAtMs!: string | null;
}
