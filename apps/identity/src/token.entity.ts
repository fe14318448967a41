import type { TokenScopes, TokenState } from '@warder/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A personal access token, by its digest: its text is nowhere. */
@Entity({ name: 'token' })
export class Token {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  @Column({ type: 'text' })
  digest!: string;

  /** Grows with every change. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'text' })
  status!: TokenState['status'];

  @Column({ type: 'text' })
  name!: string;

  @Column({ name: 'principal_id', type: 'text' })
  principalId!: string;

  @Column({ name: 'pepper_key_id', type: 'text' })
  pepperKeyId!: string;

  /** Wall milliseconds, as text because a bigint is. */
  @Column({ name: 'created_at_ms', type: 'bigint' })
  createdAtMs!: string;

  @Column({ name: 'expires_at_ms', type: 'bigint' })
  expiresAtMs!: string;

  @Column({ type: 'jsonb' })
  scopes!: TokenScopes;
}

/** The row as every node is told of it. */
export function tokenStateOf(row: Token): TokenState {
  const { version, status, id, name, principalId, pepperKeyId, scopes } = row;
  const [createdAtMs, expiresAtMs] = [Number(row.createdAtMs), Number(row.expiresAtMs)];
  return { version, status, id, name, principalId, pepperKeyId, createdAtMs, expiresAtMs, scopes };
}
