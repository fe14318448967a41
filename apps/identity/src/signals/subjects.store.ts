import type { EntityManager } from 'typeorm';
import { Principal } from '../principal.entity.js';
import type { SubjectId } from './subject.js';

/** Whose people a sender speaks of. */
export interface SubjectRealm {
  /** Id of the provider at which they sign in; undefined: they are known by their address alone. */
  readonly provider: string | undefined;
  /** `iss` of subjects that are the provider's. */
  readonly issuers: readonly string[];
  /** Our own origin: the `iss` of subjects that have our id, as a directory learns it over SCIM. */
  readonly origin: string;
}

/** The principal whom a sender names, by the first of its names that is of somebody here. Services are nobody's people. */
export async function principalNamed(
  manager: EntityManager,
  subjects: readonly SubjectId[],
  realm: SubjectRealm,
): Promise<Principal | undefined> {
  for (const subject of subjects) {
    const id = await idNamed(manager, subject, realm);
    if (id === undefined) continue;
    const found = await manager.findOneBy(Principal, { id, kind: 'human' });
    if (found !== null) return found;
  }
  return undefined;
}

async function idNamed(manager: EntityManager, subject: SubjectId, realm: SubjectRealm): Promise<string | undefined> {
  switch (subject.format) {
    case 'email':
      return byAddress(manager, subject.email, realm);
    case 'iss_sub':
      if (isSame(subject.iss, realm.origin)) return subject.sub;
      if (!realm.issuers.some((issuer) => isSame(issuer, subject.iss))) return undefined;
      return bySubject(manager, subject.sub, realm);
    case 'opaque':
      return (await bySubject(manager, subject.id, realm)) ?? subject.id;
  }
}

/** A person of another provider may have the address too, and this sender has no word on them. */
async function byAddress(manager: EntityManager, email: string, realm: SubjectRealm): Promise<string | undefined> {
  const rows: { id: string }[] = await manager.query(
    `SELECT id FROM principal WHERE lower(email) = lower($1) AND status <> 'removed' AND kind = 'human'
       AND ($2::text IS NULL OR NOT EXISTS (SELECT 1 FROM identity_link WHERE principal_id = principal.id)
         OR EXISTS (SELECT 1 FROM identity_link WHERE principal_id = principal.id AND provider = $2))`,
    [email, realm.provider ?? null],
  );
  return rows[0]?.id;
}

/** Somebody whom SCIM made and who never signed in is known by the id that the directory gave them. */
async function bySubject(manager: EntityManager, subject: string, realm: SubjectRealm): Promise<string | undefined> {
  const rows: { id: string }[] = await manager.query(
    `SELECT principal_id AS id, 0 AS rank FROM identity_link WHERE provider = $1 AND subject = $2
     UNION ALL
     SELECT principal_id AS id, 1 AS rank FROM scim_user WHERE external_id = $2 AND deleted_at_ms IS NULL
     ORDER BY rank LIMIT 1`,
    [realm.provider ?? '', subject],
  );
  return rows[0]?.id;
}

function isSame(one: string, other: string): boolean {
  return one.replace(/\/$/, '') === other.replace(/\/$/, '');
}
