import type { Role } from '@warder/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Attributes } from './scim-attributes.js';

/** What SCIM says of a principal. Its row outlives a `DELETE`: by it whoever was offboarded is known again. */
@Entity({ name: 'scim_user' })
export class ScimUser {
  /** The `id` of the resource too. */
  @PrimaryColumn({ name: 'principal_id', type: 'text' })
  principalId!: string;

  /** Grows with every change of what the resource says. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ name: 'user_name', type: 'text' })
  userName!: string;

  @Column({ name: 'external_id', type: 'text', nullable: true })
  externalId!: string | null;

  /** In lower case. */
  @Column({ type: 'text', array: true })
  emails!: string[];

  /** As they were sent, without `active`: that is whether SCIM holds the principal. */
  @Column({ type: 'jsonb' })
  attributes!: Attributes;

  /** Of the principal's groups and roles, those that are there because of SCIM; all others are left alone. */
  @Column({ name: 'given_groups', type: 'text', array: true })
  givenGroups!: string[];

  @Column({ name: 'given_roles', type: 'text', array: true })
  givenRoles!: Role[];

  /** Wall milliseconds, as text because a bigint is. */
  @Column({ name: 'created_at_ms', type: 'bigint' })
  createdAtMs!: string;

  @Column({ name: 'modified_at_ms', type: 'bigint' })
  modifiedAtMs!: string;

  @Column({ name: 'deleted_at_ms', type: 'bigint', nullable: true })
  deletedAtMs!: string | null;
}
