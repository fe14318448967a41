import { connectionStateTopic, providerOfUpstream, type PutStaticCredential } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { encodeStaticSecret, type NamedSecrets, SecretError, staticConnectionId } from '@warder/secrets';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { storeUnavailable } from './service-secrets.js';
import { StaticCredential } from './static-credential.entity.js';
import { Turns } from './turns.js';

/** What is told of a credential; never its value. */
export interface CredentialView {
  readonly upstream: string;
  readonly version: number;
  readonly status: StaticCredential['status'];
  readonly kind: StaticCredential['kind'];
  readonly name: string;
  readonly changedAtMs: number;
}

/** Changes that run or wait for their turn. */
const CHANGES_MAX = 64;
/** Times that a change is tried again because another process was faster. */
const TRIES_MAX = 3;

/**
 * Static credentials: the row and its message in one transaction, the secret in the secret store. A secret is written
 * before its row is committed and removed after, so a state that says "active" always has a secret behind it. No
 * transaction waits for the store: changes of this process take turns, those of others are met by comparing versions.
 */
export class StaticCredentialsStore {
  private readonly turns = new Turns(CHANGES_MAX);
  private changed: (connectionId: string) => Promise<void> = async () => {};

  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    private readonly secrets: NamedSecrets,
    private readonly wallMs: () => number,
    private readonly tell: (error: unknown) => void,
  ) {}

  /** Who is told once another secret is stored and in force. */
  onChanged(changed: (connectionId: string) => Promise<void>): void {
    this.changed = changed;
  }

  async list(): Promise<readonly CredentialView[]> {
    const rows = await this.source.manager.find(StaticCredential, { order: { upstream: 'ASC' } });
    return rows.filter(({ upstream }) => providerOfUpstream(upstream) === undefined).map(viewOf);
  }

  /** Those of guardrail providers, which are stored as if they were upstreams. */
  async listOfProviders(): Promise<readonly CredentialView[]> {
    const rows = await this.source.manager.find(StaticCredential, { order: { upstream: 'ASC' } });
    return rows.filter(({ upstream }) => providerOfUpstream(upstream) !== undefined).map(viewOf);
  }

  /**
   * Stores or replaces the credential of an upstream; in force on a node as soon as it reads the new state.
   * @throws AdminError 503 WDR_SECRET_STORE_UNAVAILABLE with the reason, 409 WDR_CREDENTIAL_CHANGED
   */
  async put(upstream: string, credential: PutStaticCredential, by: AdminActor): Promise<CredentialView> {
    return this.turns.take(async () => {
      for (let tries = 0; tries < TRIES_MAX; tries += 1) {
        const view = await this.tryPut(upstream, credential, by);
        if (!view) continue;
        await this.changed(staticConnectionId(upstream));
        return view;
      }
      throw new AdminError(409, 'WDR_CREDENTIAL_CHANGED', `the credential of ${upstream} is changed elsewhere: look`);
    });
  }

  /**
   * Revokes the credential of an upstream, whose calls are refused from then on. Done again it only makes sure that
   * the secret is gone. It needs no store: a secret that cannot be removed now is removed when the store is back.
   * @throws AdminError 404 WDR_CREDENTIAL_UNKNOWN
   */
  async revoke(upstream: string, by: AdminActor): Promise<CredentialView> {
    const view = await this.locked(async (manager) => {
      const before = await manager.findOneBy(StaticCredential, { upstream });
      if (!before) throw new AdminError(404, 'WDR_CREDENTIAL_UNKNOWN', `${upstream} has no static credential`);
      if (before.status === 'revoked') return viewOf(before);
      const version = before.version + 1;
      const { kind, name } = before;
      const changedAtMs = String(this.wallMs());
      const row: StaticCredential = { upstream, version, status: 'revoked', kind, name, changedAtMs };
      await this.save(manager, row);
      await this.outbox.recordAdminAction(manager, { action: 'static.revoke', by, arguments: { upstream, version } });
      return viewOf(row);
    });
    // Revoked it is, whatever becomes of the secret.
    await this.turns.take(() => this.removeSecretOfRevoked(upstream)).catch(this.tell);
    return view;
  }

  /** Publishes every state again. */
  async republish(): Promise<void> {
    await this.locked(async (manager) => {
      const rows = await manager.find(StaticCredential, { order: { upstream: 'ASC' } });
      for (const row of rows) await this.publish(manager, row);
    });
  }

  /** Removes secrets that a revocation could not remove. */
  async removeLeftBehind(): Promise<void> {
    const rows = await this.source.manager.findBy(StaticCredential, { status: 'revoked' });
    for (const { upstream } of rows) await this.turns.take(() => this.removeSecretOfRevoked(upstream));
  }

  /** @returns undefined when another process changed the credential meanwhile */
  private async tryPut(
    upstream: string,
    { kind, name, value }: PutStaticCredential,
    by: AdminActor,
  ): Promise<CredentialView | undefined> {
    const before = await this.source.manager.findOneBy(StaticCredential, { upstream });
    const version = (before?.version ?? 0) + 1;
    const secret = encodeStaticSecret({ version, kind, name, value });
    if (!(await this.storeSecret(staticConnectionId(upstream), secret))) return undefined;
    return this.locked(async (manager) => {
      const current = await manager.findOneBy(StaticCredential, { upstream });
      if ((current?.version ?? 0) !== version - 1) return undefined;
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
  }

  /** @returns false when another process wrote it in between */
  private async storeSecret(id: string, secret: string): Promise<boolean> {
    try {
      await this.secrets.put(id, secret, await this.versionOf(id));
      return true;
    } catch (error) {
      if (error instanceof SecretError && error.reason === 'conflict') return false;
      this.tell(error);
      throw storeUnavailable(error);
    }
  }

  /** @returns undefined for one that cannot be opened any more: it is replaced whatever it is */
  private async versionOf(id: string): Promise<number | undefined> {
    try {
      return (await this.secrets.read(id))?.version ?? 0;
    } catch (error) {
      if (error instanceof SecretError && !error.isUnavailable) return undefined;
      throw error;
    }
  }

  private async removeSecretOfRevoked(upstream: string): Promise<void> {
    const row = await this.source.manager.findOneBy(StaticCredential, { upstream });
    if (row?.status !== 'revoked') return;
    await this.secrets.remove(staticConnectionId(upstream)).catch(this.tell);
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
