import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { Attributes } from './scim-attributes.js';

/** A group of the directory. What it means here is said by `groupRules`. */
@Entity({ name: 'scim_group' })
export class ScimGroup {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  /** Grows with every change, of its members too. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ name: 'display_name', type: 'text' })
  displayName!: string;

  @Column({ name: 'external_id', type: 'text', nullable: true })
  externalId!: string | null;

  /** As they were sent, without members. */
  @Column({ type: 'jsonb' })
  attributes!: Attributes;

  /** Wall milliseconds, as text because a bigint is. */
  @Column({ name: 'created_at_ms', type: 'bigint' })
  createdAtMs!: string;

  @Column({ name: 'modified_at_ms', type: 'bigint' })
  modifiedAtMs!: string;
}
