import type { PrincipalState, Role } from '@warder/contracts';
import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A person or a service. Its row is never deleted: `removed` is a status, and final. */
@Entity({ name: 'principal' })
export class Principal {
  @PrimaryColumn({ type: 'text' })
  id!: string;

  /** Grows with every change. */
  @Column({ type: 'int' })
  version!: number;

  @Column({ type: 'text' })
  status!: PrincipalState['status'];

  @Column({ type: 'text' })
  kind!: PrincipalState['kind'];

  @Column({ type: 'text' })
  name!: string;

  @Column({ type: 'text', nullable: true })
  email!: string | null;

  @Column({ type: 'text', array: true })
  groups!: string[];

  @Column({ type: 'text', array: true })
  roles!: Role[];

  /** Wall milliseconds; whatever was signed in before has ended. Null: never. */
  @Column({ name: 'signed_out_at_ms', type: 'bigint', nullable: true })
  signedOutAtMs?: string | null;
}

/** Under which external ids of SCIM stand among a principal's subjects: no sign-in provider can be called so. */
export const SCIM_SUBJECTS = '@scim';

/** The row as every node is told of it. */
export function principalStateOf(row: Principal): PrincipalState {
  const { version, status, id, kind, name, email, groups, roles, signedOutAtMs } = row;
  const state = { version, status, id, kind, name, email, groups, roles };
  return signedOutAtMs == null ? state : { ...state, signedOutAtMs: Number(signedOutAtMs) };
}
