import { connectionStateTopic, type PutStaticCredential } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { encodeStaticSecret, type NamedSecrets, staticConnectionId } from '@warder/secrets';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { StaticCredential } from './static-credential.entity.js';

/** What is told of a credential; never its value. */
export interface CredentialView {
  readonly upstream: string;
  readonly version: number;
  readonly status: StaticCredential['status'];
  readonly kind: StaticCredential['kind'];
  readonly name: string;
  readonly changedAtMs: number;
}

/**
 * Static credentials: the row and its message in one transaction, the secret in the secret store. A secret is written
 * before its row is committed and removed after, so a state that says "active" always has a secret behind it.
 */
export class StaticCredentialsStore {
  private changed: (connectionId: string) => Promise<void> = async () => {};

  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    private readonly secrets: NamedSecrets,
    private readonly wallMs: () => number,
  ) {}

  /** Who is told once another secret is stored and in force. */
  onChanged(changed: (connectionId: string) => Promise<void>): void {
    this.changed = changed;
  }

  async list(): Promise<readonly CredentialView[]> {
    const rows = await this.source.manager.find(StaticCredential, { order: { upstream: 'ASC' } });
    return rows.map(viewOf);
  }

  /** Stores or replaces the credential of an upstream; in force on a node as soon as it reads the new state. */
  async put(upstream: string, credential: PutStaticCredential, by: AdminActor): Promise<CredentialView> {
    const { kind, name, value } = credential;
    const view = await this.locked(async (manager) => {
      const before = await manager.findOneBy(StaticCredential, { upstream });
      const version = (before?.version ?? 0) + 1;
      await this.secrets.put(staticConnectionId(upstream), encodeStaticSecret({ version, kind, name, value }));
      const row: StaticCredential = {
        upstream,
        version,
        status: 'active',
        kind,
        name,
        changedAtMs: String(this.wallMs()),
      };
      await this.save(manager, row);
      const action = before ? 'static.replace' : 'static.create';
      await this.outbox.recordAdminAction(manager, { action, by, arguments: { upstream, version, kind, name } });
      return viewOf(row);
    });
    await this.changed(staticConnectionId(upstream));
    return view;
  }

  /**
   * Revokes the credential of an upstream, whose calls are refused from then on. Done again it only makes sure that
   * the secret is gone.
   * @throws AdminError 404 WDR_CREDENTIAL_UNKNOWN
   */
  async revoke(upstream: string, by: AdminActor): Promise<CredentialView> {
    const view = await this.locked(async (manager) => {
      const before = await manager.findOneBy(StaticCredential, { upstream });
      if (!before) throw new AdminError(404, 'WDR_CREDENTIAL_UNKNOWN', `${upstream} has no static credential`);
      if (before.status === 'revoked') return viewOf(before);
      const version = before.version + 1;
      const { kind, name } = before;
      const row: StaticCredential = {
        upstream,
        version,
        status: 'revoked',
        kind,
        name,
        changedAtMs: String(this.wallMs()),
      };
      await this.save(manager, row);
      await this.outbox.recordAdminAction(manager, { action: 'static.revoke', by, arguments: { upstream, version } });
      return viewOf(row);
    });
    await this.removeSecretOfRevoked(upstream);
    return view;
  }

  /** Publishes every state again, and removes secrets that a revocation could not remove. */
  async republish(): Promise<void> {
    const revoked = await this.locked(async (manager) => {
      const rows = await manager.find(StaticCredential, { order: { upstream: 'ASC' } });
      for (const row of rows) await this.publish(manager, row);
      return rows.filter((row) => row.status === 'revoked');
    });
    for (const { upstream } of revoked) await this.removeSecretOfRevoked(upstream);
  }

  // Under the lock, so that the secret of a credential that was stored anew in between is left alone.
  private async removeSecretOfRevoked(upstream: string): Promise<void> {
    await this.locked(async (manager) => {
      const row = await manager.findOneBy(StaticCredential, { upstream });
      if (row?.status === 'revoked') await this.secrets.remove(staticConnectionId(upstream));
    });
  }

  private async save(manager: EntityManager, row: StaticCredential): Promise<void> {
    await manager.upsert(StaticCredential, row, ['upstream']);
    await this.publish(manager, row);
  }

  private publish(manager: EntityManager, row: StaticCredential): Promise<void> {
    const { upstream, version, status, kind, name } = row;
    const id = staticConnectionId(upstream);
    return this.outbox.enqueue(manager, connectionStateTopic, id, { version, status, id, upstream, kind, name });
  }

  private locked<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.source.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(hashtext('warder-credentials'))`);
      return work(manager);
    });
  }
}

function viewOf(row: StaticCredential): CredentialView {
  const { upstream, version, status, kind, name } = row;
  return { upstream, version, status, kind, name, changedAtMs: Number(row.changedAtMs) };
}
