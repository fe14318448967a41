import { Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * Who may keep a principal out: an administrator, SCIM, a sender of signals by its id, or a provider by its id until it
 * has seen the person sign in again. The administrator outranks all others (docs/adr/0021, 0023).
 */
export type Holder = 'administrator' | 'scim' | `signals/${string}` | `sign-in/${string}`;

/**
 * One reason for which a principal is not active. While there is any it stays `suspended`, so that one holder's leave
 * never undoes what the other decided; with a removed principal it says who removed it.
 */
@Entity({ name: 'access_hold' })
export class AccessHold {
  @PrimaryColumn({ name: 'principal_id', type: 'text' })
  principalId!: string;

  @PrimaryColumn({ type: 'text' })
  holder!: Holder;

  /** Wall milliseconds, as text because a bigint is. */
  @Column({ name: 'since_ms', type: 'bigint' })
  sinceMs!: string;
}
