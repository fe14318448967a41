import { type PutUpstreamAuth, type UpstreamAuthState, upstreamAuthStateTopic } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import { isTakenBy } from '../kept/credential-form.js';
import { Provider } from './provider.entity.js';
import type { UpstreamTransport, UpstreamUses } from './upstream-uses.js';
import { UpstreamAuth } from './upstream-auth.entity.js';

/** What is told of how an upstream is authenticated, beside what the nodes are told. */
export interface UpstreamAuthView extends UpstreamAuthState {
  /** How the policy in force reaches it. What it does not name may be named later, and is taken. */
  readonly transport: UpstreamTransport;
}

/** Kinds that a program on stdio can be given: it has no request that would carry a token. */
const ON_STDIO = new Set(['none', 'static']);

/** How upstreams' calls are authenticated there: the row and its message in one transaction. */
export class UpstreamAuthsStore {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    private readonly uses: Pick<UpstreamUses, 'transportOf'>,
    private readonly wallMs: () => number,
  ) {}

  async list(): Promise<UpstreamAuthView[]> {
    const rows = await this.source.manager.find(UpstreamAuth, {
      where: { status: 'active' },
      order: { upstream: 'ASC' },
    });
    return rows.map((row) => this.viewOf(row));
  }

  async find(upstream: string): Promise<UpstreamAuthState | undefined> {
    const row = await this.source.manager.findOneBy(UpstreamAuth, { upstream, status: 'active' });
    return row === null ? undefined : stateOf(row);
  }

  /** @throws AdminError 404 WDR_PROVIDER_UNKNOWN; 409 WDR_UPSTREAM_BUILT_IN, WDR_UPSTREAM_TRANSPORT */
  async put(upstream: string, body: PutUpstreamAuth, by: AdminActor): Promise<UpstreamAuthView> {
    const transport = this.uses.transportOf(upstream);
    if (transport === 'built-in')
      throw new AdminError(
        409,
        'WDR_UPSTREAM_BUILT_IN',
        `the upstream ${upstream} is built in and takes no credential`,
      );
    if (transport === 'stdio' && !ON_STDIO.has(body.kind))
      throw new AdminError(
        409,
        'WDR_UPSTREAM_TRANSPORT',
        `${upstream} is a program on stdio, which gets no ${body.kind}`,
      );
    const provider = 'provider' in body ? body.provider : null;
    return this.change(upstream, async (manager, before) => {
      if (provider !== null) {
        const known = await manager.findOneBy(Provider, { id: provider, status: 'active' });
        if (known === null) throw new AdminError(404, 'WDR_PROVIDER_UNKNOWN', 'no such provider is set up');
        if (!isTakenBy(known, body.kind))
          throw new AdminError(400, 'WDR_BODY_INVALID', `kind: ${provider} has no connections of this kind`);
      }
      const row = this.next(upstream, before, { status: 'active', kind: body.kind, provider });
      await this.save(manager, row);
      const told = { upstream, version: row.version, kind: body.kind, provider };
      await this.outbox.recordAdminAction(manager, { action: 'upstream.put', by, arguments: told });
      return this.viewOf(row);
    });
  }

  /**
   * From then on the upstream has its static credential, where one is stored, and none else.
   * @throws AdminError 404 WDR_UPSTREAM_AUTH_UNKNOWN
   */
  async remove(upstream: string, by: AdminActor): Promise<UpstreamAuthView> {
    return this.change(upstream, async (manager, before) => {
      if (before?.status !== 'active')
        throw new AdminError(404, 'WDR_UPSTREAM_AUTH_UNKNOWN', 'nothing is said of how this upstream is authenticated');
      const row = this.next(upstream, before, { status: 'removed' });
      await this.save(manager, row);
      const told = { upstream, version: row.version };
      await this.outbox.recordAdminAction(manager, { action: 'upstream.remove', by, arguments: told });
      return this.viewOf(row);
    });
  }

  /** Publishes every state again. */
  async republish(): Promise<void> {
    await this.source.transaction(async (manager) => {
      const rows = await manager.find(UpstreamAuth, {
        order: { upstream: 'ASC' },
        lock: { mode: 'pessimistic_write' },
      });
      for (const row of rows) await this.publish(manager, row);
    });
  }

  private viewOf(row: UpstreamAuth): UpstreamAuthView {
    return { ...stateOf(row), transport: this.uses.transportOf(row.upstream) };
  }

  private next(upstream: string, before: UpstreamAuth | null, change: Partial<UpstreamAuth>): UpstreamAuth {
    const version = (before?.version ?? 0) + 1;
    const { kind = 'none', provider = null } = before ?? {};
    return { upstream, status: 'active', kind, provider, ...change, version, changedAtMs: String(this.wallMs()) };
  }

  private async save(manager: EntityManager, row: UpstreamAuth): Promise<void> {
    await manager.upsert(UpstreamAuth, row, ['upstream']);
    await this.publish(manager, row);
  }

  private publish(manager: EntityManager, row: UpstreamAuth): Promise<void> {
    return this.outbox.enqueue(manager, upstreamAuthStateTopic, row.upstream, stateOf(row));
  }

  private change<T>(
    upstream: string,
    work: (manager: EntityManager, before: UpstreamAuth | null) => Promise<T>,
  ): Promise<T> {
    return this.source.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`upstream ${upstream}`]);
      return work(manager, await manager.findOneBy(UpstreamAuth, { upstream }));
    });
  }
}

function stateOf({ version, status, upstream, kind, provider }: UpstreamAuth): UpstreamAuthState {
  return { version, status, upstream, kind, provider };
}
