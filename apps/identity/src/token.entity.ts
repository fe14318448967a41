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

  /** With which its current secret begins, for whoever finds one; null for a token of before this was kept. */
  @Column({ type: 'text', nullable: true })
  prefix!: string | null;

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

  /** Which secret of the token `digest` is of; grows with every rotation. */
  @Column({ type: 'int' })
  generation!: number;

  @Column({ name: 'rotated_at_ms', type: 'bigint', nullable: true })
  rotatedAtMs!: string | null;

  /** The secret before this one, for as long as it may work on: its digest, that digest's pepper, and its end. */
  @Column({ name: 'previous_digest', type: 'text', nullable: true })
  previousDigest!: string | null;

  @Column({ name: 'previous_pepper_key_id', type: 'text', nullable: true })
  previousPepperKeyId!: string | null;

  @Column({ name: 'previous_expires_at_ms', type: 'bigint', nullable: true })
  previousExpiresAtMs!: string | null;

  /** When it was last used, to the minute, as far as nodes have told. */
  @Column({ name: 'last_used_at_ms', type: 'bigint', nullable: true, insert: false, update: false })
  lastUsedAtMs!: string | null;
}

/** A row that has no secret before its own. */
export const NEVER_ROTATED = {
  generation: 1,
  rotatedAtMs: null,
  previousDigest: null,
  previousPepperKeyId: null,
  previousExpiresAtMs: null,
  lastUsedAtMs: null,
} as const;

/** The row, by its current secret, as every node is told of it. */
export function tokenStateOf(row: Token): TokenState {
  const { version, status, id, name, principalId, pepperKeyId, scopes, generation } = row;
  const [createdAtMs, expiresAtMs] = [Number(row.createdAtMs), Number(row.expiresAtMs)];
  return { version, status, id, name, principalId, pepperKeyId, createdAtMs, expiresAtMs, scopes, generation };
}

/** The same by the secret before it, under that one's digest; undefined where there is none. */
export function previousStateOf(row: Token): { key: string; message: TokenState } | undefined {
  const { previousDigest, previousPepperKeyId, previousExpiresAtMs, generation } = row;
  if (previousDigest === null || previousPepperKeyId === null) return undefined;
  const old = {
    generation: generation - 1,
    pepperKeyId: previousPepperKeyId,
    expiresAtMs: Number(previousExpiresAtMs),
  };
  return { key: previousDigest, message: { ...tokenStateOf(row), ...old } };
}
