import { TRUSTED_ISSUER_KEY, type TrustedIssuerState, trustedIssuerStateTopic } from '@warder/contracts';
import type { Outbox } from '@warder/postgres';
import type { EntityManager } from 'typeorm';
import type { IdentityStore } from '../identity.store.js';
import type { IssuerFacts } from './trusted-issuer.js';

/** What every node was told of the company's authorization server: one row, its version rising with every change. */
export class TrustedIssuerStore {
  constructor(
    private readonly store: IdentityStore,
    private readonly outbox: Outbox,
  ) {
    store.alsoRepublish(async (manager) => {
      const state = await this.kept(manager);
      if (state !== undefined) await this.tell(manager, state);
    });
  }

  /** Says what the server is now; nothing where that is known. @returns whether it was news */
  async say(facts: IssuerFacts): Promise<boolean> {
    return this.store.change(async (manager) => {
      const known = await this.kept(manager);
      if (known !== undefined && isSame(known, facts)) return false;
      await this.keep(manager, { ...facts, version: (known?.version ?? 0) + 1 });
      const { issuer, status, keys } = facts;
      const by = { principal: null, token: null, address: '' };
      const given = { issuer, status, keys: keys.map(({ id, algorithm }) => `${algorithm} ${id}`) };
      await this.store.record(manager, 'trusted-issuer.change', by, given);
      return true;
    });
  }

  /** Has no token of its taken any more, where any was. */
  async retire(): Promise<void> {
    await this.store.change(async (manager) => {
      const known = await this.kept(manager);
      if (known === undefined || known.status === 'retired') return;
      await this.keep(manager, { ...known, status: 'retired', keys: [], version: known.version + 1 });
      const by = { principal: null, token: null, address: '' };
      await this.store.record(manager, 'trusted-issuer.change', by, { issuer: known.issuer, status: 'retired' });
    });
  }

  private async keep(manager: EntityManager, state: TrustedIssuerState): Promise<void> {
    await manager.query(
      `INSERT INTO trusted_issuer (id, state) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET state = excluded.state`,
      [TRUSTED_ISSUER_KEY, JSON.stringify(state)],
    );
    await this.tell(manager, state);
  }

  private async kept(manager: EntityManager): Promise<TrustedIssuerState | undefined> {
    const rows: { state: TrustedIssuerState }[] = await manager.query(
      'SELECT state FROM trusted_issuer WHERE id = $1',
      [TRUSTED_ISSUER_KEY],
    );
    return rows[0]?.state;
  }

  private async tell(manager: EntityManager, state: TrustedIssuerState): Promise<void> {
    await this.outbox.enqueue(manager, trustedIssuerStateTopic, TRUSTED_ISSUER_KEY, state);
  }
}

/** The database gives members back in an order of its own. */
function isSame({ version: _version, ...known }: TrustedIssuerState, facts: IssuerFacts): boolean {
  return canonical(known) === canonical(facts);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : member,
  );
}
