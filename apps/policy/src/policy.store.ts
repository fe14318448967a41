import { PolicyDocument, POLICY_READER, POLICY_SNAPSHOT_KEY, policySnapshotTopic } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { documentChanges } from './document/document-changes.js';
import { PolicyVersion } from './policy-version.entity.js';

/** A published version. */
export interface StoredPolicy {
  readonly version: number;
  readonly document: PolicyDocument;
  readonly origin: PolicyVersion['origin'];
  readonly createdAtMs: number;
}

/** A change of the whole document. */
export interface PolicyChange {
  readonly document: PolicyDocument;
  readonly origin: PolicyVersion['origin'];
  /** Version that the caller saw; `undefined` replaces whatever is there. */
  readonly expectedVersion: number | undefined;
  readonly by: AdminActor;
}

/** Bytes of a message that are not the document: version, times and the owner's signature. */
const ENVELOPE_BYTES = 4_096;

/**
 * Versions of the policy, and their publication: both in one transaction, under one lock, so that snapshots reach the
 * bus in the order of their versions.
 */
export class PolicyStore {
  private latest: StoredPolicy | undefined;

  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    private readonly wallMs: () => number,
    private readonly versionsKept: number,
  ) {}

  /** The version in force, from the database; `undefined` before the first. */
  async current(): Promise<StoredPolicy | undefined> {
    return this.read(this.source.manager);
  }

  /**
   * Publishes a document as the next version.
   * @throws AdminError 412 WDR_VERSION_MISMATCH when another version is in force than was expected, 413
   * WDR_POLICY_TOO_LARGE when no message can carry it
   */
  async replace(change: PolicyChange): Promise<StoredPolicy> {
    const text = JSON.stringify(change.document);
    if (Buffer.byteLength(text) > policySnapshotTopic.messageBytesMax - ENVELOPE_BYTES)
      throw new AdminError(
        413,
        'WDR_POLICY_TOO_LARGE',
        `a policy has at most ${policySnapshotTopic.messageBytesMax} bytes`,
      );
    return this.locked(async (manager) => {
      const before = await this.read(manager);
      const { expectedVersion } = change;
      if (expectedVersion !== undefined && expectedVersion !== before?.version)
        throw new AdminError(412, 'WDR_VERSION_MISMATCH', `version ${before?.version ?? 0} is in force`);
      const version = (before?.version ?? 0) + 1;
      const createdAtMs = this.wallMs();
      const { origin, document } = change;
      await manager.insert(PolicyVersion, { version, document: text, origin, createdAtMs: String(createdAtMs) });
      await manager.query('DELETE FROM policy_version WHERE version <= $1', [version - this.versionsKept]);
      const stored: StoredPolicy = { version, document, origin, createdAtMs };
      await this.publish(manager, stored);
      await this.outbox.recordAdminAction(manager, {
        action: 'policy.replace',
        by: change.by,
        arguments: { version, origin, ...documentChanges(before?.document, document) },
      });
      return stored;
    });
  }

  /** Publishes the version in force again: a broker may have lost it, and an in-process bus keeps nothing. */
  async republish(): Promise<void> {
    await this.locked(async (manager) => {
      const stored = await this.read(manager);
      if (stored) await this.publish(manager, stored);
    });
  }

  private publish(manager: EntityManager, { version, document }: StoredPolicy): Promise<void> {
    return this.outbox.enqueue(manager, policySnapshotTopic, POLICY_SNAPSHOT_KEY, {
      version,
      status: 'active',
      minReader: POLICY_READER,
      publishedAtMs: this.wallMs(),
      document,
    });
  }

  private locked<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.source.transaction(async (manager) => {
      await manager.query(`SELECT pg_advisory_xact_lock(hashtext('warder-policy'))`);
      return work(manager);
    });
  }

  private async read(manager: EntityManager): Promise<StoredPolicy | undefined> {
    const [found] = (await manager.query('SELECT max(version) AS version FROM policy_version')) as [
      { version: number | null },
    ];
    if (found.version === null) return undefined;
    // A committed version never changes, and this reads before it writes: what it sees is committed.
    if (this.latest?.version === found.version) return this.latest;
    const row = await manager.findOneByOrFail(PolicyVersion, { version: found.version });
    this.latest = {
      version: row.version,
      document: PolicyDocument.parse(JSON.parse(row.document)),
      origin: row.origin,
      createdAtMs: Number(row.createdAtMs),
    };
    return this.latest;
  }
}
