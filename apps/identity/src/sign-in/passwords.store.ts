import { hash, randomBytes } from 'node:crypto';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { EntityManager } from 'typeorm';
import type { IdentityStore } from '../identity.store.js';
import { Principal } from '../principal.entity.js';
import type { PasswordHashing } from './password-hashing.js';

const LINK_MS = 86_400_000;
export const PASSWORD_CHARS_MIN = 12;
export const PASSWORD_CHARS_MAX = 256;

/** A link by which somebody chooses a password, once. */
export interface PasswordLink {
  readonly url: string;
  readonly expiresAtMs: number;
}

/** Somebody who proved their password. */
export interface Proved {
  readonly principal: Principal;
  /** Whether it is still the one that they proved, which takes its time; held so until the end of the transaction. */
  readonly stands: (manager: EntityManager) => Promise<boolean>;
}

/** The local directory: people who sign in with a password, for where no company's provider is. */
export class PasswordsStore {
  /** What a wrong address costs too. */
  private readonly nobody: Promise<string>;

  constructor(
    private readonly store: IdentityStore,
    private readonly origin: () => string,
    private readonly hashing: PasswordHashing,
  ) {
    this.nobody = hashing.hashed(randomBytes(16).toString('hex'));
  }

  /** Whose address and password these are; undefined for anybody else, after the same time. @throws PageRefusal 503 WDR_PASSWORDS_BUSY */
  async check(email: string, password: string): Promise<Proved | undefined> {
    const found: { principal_id: string; hash: string }[] = await this.store.source.query(
      `SELECT p.principal_id, p.hash FROM password p JOIN principal ON principal.id = p.principal_id
       WHERE lower(principal.email) = lower($1) AND principal.status = 'active'`,
      // No address has a NUL, which no statement takes.
      [email.replaceAll('\0', '\ufffd')],
    );
    const [row] = found;
    const isRight = await this.hashing.matches(
      row?.hash ?? (await this.nobody),
      password.slice(0, PASSWORD_CHARS_MAX + 1),
    );
    if (row === undefined || !isRight) return undefined;
    const principal = await this.store.source.manager.findOneBy(Principal, { id: row.principal_id });
    return principal === null ? undefined : { principal, stands: (manager) => isStill(manager, row) };
  }

  /**
   * Makes a link by which the principal chooses a password; an earlier one ends.
   * @throws AdminError 404 WDR_PRINCIPAL_UNKNOWN; 409 WDR_PRINCIPAL_INACTIVE or WDR_EMAIL_MISSING
   */
  async link(principalId: string, by: AdminActor): Promise<PasswordLink> {
    const text = randomBytes(32).toString('base64url');
    const expiresAtMs = this.store.wallMs() + LINK_MS;
    await this.store.change(async (manager) => {
      const owner = await manager.findOneBy(Principal, { id: principalId });
      if (!owner) throw new AdminError(404, 'WDR_PRINCIPAL_UNKNOWN', 'no principal has this id');
      if (owner.status !== 'active')
        throw new AdminError(409, 'WDR_PRINCIPAL_INACTIVE', `${principalId} is ${owner.status}`);
      if (owner.email === null)
        throw new AdminError(
          409,
          'WDR_EMAIL_MISSING',
          'a password is of an e-mail address, and this principal has none',
        );
      await manager.query('DELETE FROM password_link WHERE principal_id = $1 OR expires_at_ms < $2', [
        principalId,
        this.store.wallMs(),
      ]);
      await manager.query('INSERT INTO password_link (digest, principal_id, expires_at_ms) VALUES ($1, $2, $3)', [
        digestOf(text),
        principalId,
        expiresAtMs,
      ]);
      await this.store.record(manager, 'password-link.issue', by, { principalId, expiresAtMs });
    });
    return { url: `${this.origin()}/sign-in/new-password/${text}`, expiresAtMs };
  }

  /** Whether the principal has one. */
  async has(principalId: string): Promise<boolean> {
    const found: unknown[] = await this.store.source.query('SELECT 1 FROM password WHERE principal_id = $1', [
      principalId,
    ]);
    return found.length > 0;
  }

  /**
   * Sets another password for whoever knows the one there is, and does with it, in the same change, what follows from it.
   * @returns whether the old one was right
   */
  async change(
    principalId: string,
    { old, wanted }: { readonly old: string; readonly wanted: string },
    by: AdminActor,
    follow: (manager: EntityManager) => Promise<unknown>,
  ): Promise<boolean> {
    const [row]: { hash: string }[] = await this.store.source.query(
      'SELECT hash FROM password WHERE principal_id = $1',
      [principalId],
    );
    if (row === undefined || !(await this.hashing.matches(row.hash, old.slice(0, PASSWORD_CHARS_MAX + 1))))
      return false;
    const kept = await this.hashing.hashed(wanted);
    return this.store.change(async (manager) => {
      // The one that was proved is the one that is replaced: of two changes at once the second proves nothing.
      const [changed]: [unknown[], number] = await manager.query(
        'UPDATE password SET hash = $3, changed_at_ms = $4 WHERE principal_id = $1 AND hash = $2 RETURNING principal_id',
        [principalId, row.hash, kept, this.store.wallMs()],
      );
      if (changed.length === 0) return false;
      await follow(manager);
      await this.store.record(manager, 'password.change', by, { principalId });
      return true;
    });
  }

  /** Whose link it is; undefined where it was used, has ended or never was. */
  async ownerOf(link: string): Promise<Principal | undefined> {
    const found: { principal_id: string }[] = await this.store.source.query(
      'SELECT principal_id FROM password_link WHERE digest = $1 AND expires_at_ms > $2',
      [digestOf(link), this.store.wallMs()],
    );
    const [row] = found;
    if (row === undefined) return undefined;
    const owner = await this.store.source.manager.findOneBy(Principal, { id: row.principal_id });
    return owner?.status === 'active' ? owner : undefined;
  }

  /**
   * Sets the password of whose link it is, ends the link, and does with it, in the same change, what follows from it where
   * there was another password before.
   * @returns whether the link was still good
   */
  async set(
    link: string,
    password: string,
    by: AdminActor,
    follow: (manager: EntityManager, owner: Principal) => Promise<unknown>,
  ): Promise<boolean> {
    const kept = await this.hashing.hashed(password);
    return this.store.change(async (manager) => {
      const [gone]: [{ principal_id: string }[], number] = await manager.query(
        'DELETE FROM password_link WHERE digest = $1 AND expires_at_ms > $2 RETURNING principal_id',
        [digestOf(link), this.store.wallMs()],
      );
      const principalId = gone[0]?.principal_id;
      const owner = principalId === undefined ? null : await manager.findOneBy(Principal, { id: principalId });
      if (owner?.status !== 'active') return false;
      const [before]: unknown[] = await manager.query('SELECT 1 FROM password WHERE principal_id = $1', [owner.id]);
      await manager.query(
        `INSERT INTO password (principal_id, hash, changed_at_ms) VALUES ($1, $2, $3)
         ON CONFLICT (principal_id) DO UPDATE SET hash = excluded.hash, changed_at_ms = excluded.changed_at_ms`,
        [owner.id, kept, this.store.wallMs()],
      );
      if (before !== undefined) await follow(manager, owner);
      await this.store.record(manager, 'password.set', by, { principalId: owner.id });
      return true;
    });
  }
}

async function isStill(
  manager: EntityManager,
  { principal_id: id, hash: kept }: { readonly principal_id: string; readonly hash: string },
): Promise<boolean> {
  const found: unknown[] = await manager.query(
    'SELECT 1 FROM password WHERE principal_id = $1 AND hash = $2 FOR SHARE',
    [id, kept],
  );
  return found.length > 0;
}

function digestOf(link: string): string {
  return hash('sha256', link, 'base64url');
}
