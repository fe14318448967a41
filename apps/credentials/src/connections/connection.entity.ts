import type { AccountConnectionState, ConnectionKind } from '@warder/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A link to an account at a provider. One row for each provider and person, or provider and all: a new link replaces the old one. */
@Entity({ name: 'connection' })
export class Connection {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  /** Grows with every change; a row is never deleted. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'text' })
  status!: AccountConnectionState['status'];

  /** Why it is not active, as a code; null where it is. */
  @Column({ type: 'text', nullable: true })
  reason!: string | null;

  @Column({ type: 'text' })
  kind!: ConnectionKind;

  @Column({ type: 'text' })
  provider!: string;

  /** Whose it is; null for one that is shared. */
  @Column({ name: 'principal_id', type: 'text', nullable: true })
  principalId!: string | null;

  /** Who answers for it: whose it is, or who made or took over a shared one. */
  @Column({ name: 'owner_id', type: 'text', nullable: true })
  ownerId!: string | null;

  @Column({ name: 'account_id', type: 'text', nullable: true })
  accountId!: string | null;

  @Column({ name: 'account_name', type: 'text', nullable: true })
  accountName!: string | null;

  /** Grows with each access token; bound to every sealed value of the row. */
  @Column({ type: 'int' })
  generation!: number;

  /** What else the provider said of the account, such as at which site it is. */
  @Column({ type: 'jsonb' })
  facts!: Readonly<Record<string, string>>;

  @Column({ type: 'jsonb' })
  scopes!: readonly string[];

  @Column({ name: 'access_token', type: 'text', nullable: true })
  accessToken!: string | null;

  @Column({ name: 'refresh_token', type: 'text', nullable: true })
  refreshToken!: string | null;

  /** Wall milliseconds, as text because a bigint is; null where the provider did not say. */
  @Column({ name: 'expires_at_ms', type: 'bigint', nullable: true })
  expiresAtMs!: string | null;

  /** When a new access token is due; null where it cannot be had. */
  @Column({ name: 'refresh_at_ms', type: 'bigint', nullable: true })
  refreshAtMs!: string | null;

  /** The refresh that was begun and of which nobody knows yet how it ended; null where there is none. */
  @Column({ type: 'jsonb', nullable: true })
  intent!: RefreshIntent | null;

  /** Of somebody who is suspended: it stays as it is, and nothing is refreshed. */
  @Column({ name: 'is_resting', type: 'boolean' })
  isResting!: boolean;

  @Column({ name: 'connected_at_ms', type: 'bigint' })
  connectedAtMs!: string;

  @Column({ name: 'changed_at_ms', type: 'bigint' })
  changedAtMs!: string;
}

/** Committed before the token request leaves, so that whoever comes after a crash knows that a token may be used up. */
export interface RefreshIntent {
  readonly id: string;
  readonly generation: number;
  /** SHA-256 of the refresh token, so that a record can name it. */
  readonly tokenHash: string;
  readonly startedAtMs: number;
  readonly node: string;
  /** How often this token was sent without anybody learning the outcome, this time included. */
  readonly tries: number;
  /** Whoever sent it has given up: nobody will say how it ended. */
  readonly isGivenUp?: boolean;
}
