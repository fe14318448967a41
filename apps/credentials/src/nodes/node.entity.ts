import type { ServiceName } from '@warder/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The columns of a node, as values. */
export type NodeRow = { [Column in keyof NodeIdentity]: NodeIdentity[Column] };

/** By which key a node is known. A row is never deleted; wall milliseconds are text because a bigint is. */
@Entity({ name: 'node_identity' })
export class NodeIdentity {
  @PrimaryColumn({ type: 'text' })
  node!: string;

  @Column({ type: 'text' })
  service!: ServiceName;

  /** Grows with every change. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'text' })
  status!: 'active' | 'revoked';

  /** Ed25519, public, base64url. */
  @Column({ type: 'text' })
  identity!: string;

  @Column({ name: 'previous_identity', type: 'text', nullable: true })
  previousIdentity!: string | null;

  @Column({ name: 'previous_until_ms', type: 'bigint', nullable: true })
  previousUntilMs!: string | null;

  @Column({ name: 'enrolled_at_ms', type: 'bigint' })
  enrolledAtMs!: string;

  @Column({ name: 'expires_at_ms', type: 'bigint' })
  expiresAtMs!: string;

  /** When it last came in by a token: certificates of before are worth nothing. */
  @Column({ name: 'valid_from_ms', type: 'bigint' })
  validFromMs!: string;

  /** Ed25519, public, base64url: which key of the registrar signed what was told last; null where none did. */
  @Column({ name: 'certified_by', type: 'text', nullable: true })
  certifiedBy!: string | null;
}
