import { isDeepStrictEqual } from 'node:util';
import type { PutCredentialForm, PutProvider } from '@warder/contracts';
import type { AdminActor, Outbox } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import type { DataSource, EntityManager } from 'typeorm';
import type { StoredForm } from '../kept/credential-form.js';
import type { Callbacks } from './callbacks.js';
import { ensureTaken } from './ensure-taken.js';
import { Provider } from './provider.entity.js';
import { type ClientSecret, ensureFits, invalid } from './provider-fits.store.js';
import type { ProviderSecrets } from './provider-secrets.store.js';
import type { ProviderSetups } from './provider-setups.js';

/** What is told of a provider; never its secret. */
export interface ProviderView {
  readonly id: string;
  readonly version: number;
  readonly status: Provider['status'];
  readonly entry: string;
  readonly title: string;
  readonly clientId: string;
  readonly hasSecret: boolean;
  /** As said; null: as the entry has it. */
  readonly authentication: Provider['authentication'];
  readonly assertion: Provider['assertion'];
  /** From where its tokens are had; null where people consent. */
  readonly exchange: Provider['exchange'];
  /** What people keep here, where there is no OAuth. */
  readonly form: StoredForm | null;
  readonly scopes: readonly string[] | null;
  readonly parameters: Readonly<Record<string, string>>;
  /** Wall milliseconds until which it is left alone; 0 where it is not. */
  readonly pausedUntilMs: number;
  /** What an operator has to see to. */
  readonly alarm: string | null;
  /** The address to register there, which no other provider has. */
  readonly callbackUrl: string;
  /** How our client came about at a server that was discovered; null of others. */
  readonly client: 'document' | 'dynamic' | null;
}

const KEPT = `SELECT 1 FROM connection WHERE provider = $1 AND status = 'active' LIMIT 1`;

/** Of a provider at which we are no client. */
const NO_CLIENT = {
  clientId: '',
  hasSecret: false,
  secretName: null,
  authentication: null,
  assertion: null,
  exchange: null,
  discovered: null,
  scopes: null,
  parameters: {},
  pausedUntilMs: '0',
  failures: 0,
  alarm: null,
};

/** Who our client is at a provider, and where that is. */
export type ProviderClientRow = Pick<
  Provider,
  'entry' | 'clientId' | 'authentication' | 'assertion' | 'exchange' | 'discovered' | 'scopes' | 'parameters'
>;

/** All that decides how calls carry what is kept: everything but how it is called. */
function carryingOf(form: StoredForm | null): object {
  return { ...form, title: '' };
}

/** Our clients at providers: the row in the database, the secret in the secret store, stored before the row names it. */
export class ProvidersStore {
  constructor(
    private readonly source: DataSource,
    private readonly outbox: Outbox,
    private readonly secrets: ProviderSecrets,
    private readonly setups: ProviderSetups,
    private readonly given: {
      readonly callbacks: Pick<Callbacks, 'urlOf'>;
      readonly wallMs: () => number;
      /** Told that there is a provider whose tokens are had for those of another. */
      readonly onExchange: () => void;
    },
  ) {}

  async list(): Promise<ProviderView[]> {
    const rows = await this.source.manager.find(Provider, { where: { status: 'active' }, order: { id: 'ASC' } });
    return rows.map((row) => this.viewOf(row));
  }

  /** One that is set up; null where there is none. */
  find(id: string): Promise<Provider | null> {
    return this.source.manager.findOneBy(Provider, { id, status: 'active' });
  }

  /** @throws AdminError 404 WDR_PROVIDER_UNKNOWN */
  async active(id: string): Promise<Provider> {
    const row = await this.find(id);
    if (row === null) throw unknown(id);
    return row;
  }

  /**
   * Sets a provider up, or changes how it is; connections there go on. Where it is is not changed under them: the next
   * refresh would send their tokens to the new place.
   * @throws AdminError 400 WDR_BODY_INVALID for what the entry does not take; 409 WDR_PROVIDER_IN_USE
   */
  async put(id: string, body: PutProvider, by: AdminActor): Promise<ProviderView> {
    ensureTaken(this.setups.entry(body.entry), body);
    await this.ensureExchangeable(id, body);
    const { entry, clientId, scopes = null, parameters, authentication = null, assertion = null } = body;
    const exchange = (body.exchange ?? null) as Provider['exchange'];
    const client = { entry, clientId, scopes, parameters, authentication, assertion, exchange, discovered: null };
    const needsNone = authentication === 'private_key_jwt' || authentication === 'none';
    return this.putClient(id, client, { clientSecret: body.clientSecret, keepsSecret: !needsNone }, by);
  }

  /**
   * Writes who our client is at a provider. What it was before is refused as by `put`.
   * @param secret - a new one, or whether the one that is stored stays
   */
  async putClient(id: string, client: ProviderClientRow, secret: ClientSecret, by: AdminActor): Promise<ProviderView> {
    // Refused before the store is asked; what changes until the lock is held is refused there.
    await this.ensureFits(id, client, secret);
    const stored = secret.clientSecret === undefined ? undefined : await this.secrets.store(id, secret.clientSecret);
    const { view, replaced } = await this.write(id, client, { ...secret, stored }, by).catch(async (error: unknown) => {
      // Of anything else nobody knows whether the row was committed: its secret stays until no row is found to name it.
      if (error instanceof AdminError) await this.secrets.forget(stored ?? null);
      throw error;
    });
    await this.secrets.forget(replaced);
    if (view.exchange !== null) this.given.onExchange();
    return view;
  }

  /** @throws AdminError for what a provider that is set up cannot be made into */
  async ensureFits(id: string, client: Pick<Provider, 'entry' | 'parameters'>, secret: ClientSecret): Promise<void> {
    const { manager } = this.source;
    await ensureFits(manager, await manager.findOneBy(Provider, { id }), { id, ...client }, secret);
  }

  /** @returns the name of the secret that no row means any more */
  private write(
    id: string,
    client: ProviderClientRow,
    secret: ClientSecret & { readonly stored: string | undefined },
    by: AdminActor,
  ): Promise<{ readonly view: ProviderView; readonly replaced: string | null }> {
    return this.locked(id, async (manager) => {
      // Whoever writes a connection holds the row too: one that is being made is waited for, and seen.
      const before = await manager.findOne(Provider, { where: { id }, lock: { mode: 'pessimistic_write' } });
      await ensureFits(manager, before, { id, ...client }, secret);
      const kept = before?.status === 'active' && secret.keepsSecret ? before.secretName : null;
      const secretName = secret.stored ?? kept;
      const row: Provider = {
        ...NO_CLIENT,
        ...client,
        id,
        version: (before?.version ?? 0) + 1,
        status: 'active',
        hasSecret: secretName !== null,
        secretName,
        form: null,
        changedAtMs: String(this.given.wallMs()),
      };
      await manager.upsert(Provider, row as never, ['id']);
      const { discovered, ...shown } = client;
      const told = {
        id,
        version: row.version,
        ...shown,
        ...(discovered === null ? {} : { client: discovered.client }),
        hasNewSecret: secret.stored !== undefined,
      };
      await this.outbox.recordAdminAction(manager, { action: 'provider.put', by, arguments: told });
      return {
        view: this.viewOf(row),
        replaced: before?.secretName === secretName ? null : (before?.secretName ?? null),
      };
    });
  }

  /**
   * Says what people keep here of a provider without OAuth.
   * @throws AdminError 409 WDR_PROVIDER_IN_USE where something is kept that would be carried in another way
   */
  async putForm(id: string, { entry, ...form }: PutCredentialForm, by: AdminActor): Promise<ProviderView> {
    return this.locked(id, async (manager) => {
      const before = await manager.findOneBy(Provider, { id });
      if (before?.status === 'active') {
        const isOther = before.entry !== entry;
        const isMoved = !isDeepStrictEqual(carryingOf(before.form), carryingOf(form));
        const kept = isMoved ? await manager.query(KEPT, [id]) : [];
        if (isOther || kept.length > 0)
          throw new AdminError(409, 'WDR_PROVIDER_IN_USE', `${id} stays what it is while something is kept for it`);
      }
      const row: Provider = {
        ...NO_CLIENT,
        id,
        entry,
        form,
        version: (before?.version ?? 0) + 1,
        status: 'active',
        changedAtMs: String(this.given.wallMs()),
      };
      await manager.upsert(Provider, row as never, ['id']);
      const told = { id, version: row.version, entry, form };
      await this.outbox.recordAdminAction(manager, { action: 'provider.put', by, arguments: told });
      return this.viewOf(row);
    });
  }

  /**
   * Removes a provider that nothing is connected to.
   * @throws AdminError 404 WDR_PROVIDER_UNKNOWN; 409 WDR_PROVIDER_IN_USE
   */
  async remove(id: string, by: AdminActor): Promise<ProviderView> {
    const { view, forgotten } = await this.locked(id, async (manager) => {
      const before = await manager.findOneBy(Provider, { id });
      if (before === null || before.status === 'removed') throw unknown(id);
      const used: unknown[] = await manager.query(
        `SELECT 1 FROM connection WHERE provider = $1 AND status IN ('active', 'reconnect_required')
         UNION ALL SELECT 1 FROM token_ending WHERE provider = $1
         UNION ALL SELECT 1 FROM provider WHERE exchange->>'from' = $1 AND status = 'active'
         UNION ALL SELECT 1 FROM upstream_auth WHERE provider = $1 AND status = 'active' LIMIT 1`,
        [id],
      );
      if (used.length > 0)
        throw new AdminError(
          409,
          'WDR_PROVIDER_IN_USE',
          `${id} has connections, or an upstream or another provider takes them`,
        );
      const version = before.version + 1;
      const changedAtMs = String(this.given.wallMs());
      const gone = { status: 'removed' as const, hasSecret: false, secretName: null };
      const row = Object.assign({}, before, { version, changedAtMs }, gone);
      await manager.upsert(Provider, row as never, ['id']);
      await this.outbox.recordAdminAction(manager, { action: 'provider.remove', by, arguments: { id, version } });
      return { view: this.viewOf(row), forgotten: before.secretName };
    });
    // Removed it is, whatever becomes of its secret.
    await this.secrets.forget(forgotten);
    return view;
  }

  /** @throws AdminError 400 WDR_BODY_INVALID for an exchange that the entry does not offer, or of nobody's tokens */
  private async ensureExchangeable(id: string, { entry: name, exchange, scopes }: PutProvider): Promise<void> {
    if (exchange === undefined) return;
    const grants = this.setups.entry(name)?.grants ?? [];
    if (!grants.includes('token_exchange') && !grants.includes('on_behalf_of'))
      throw invalid('exchange: this provider exchanges no tokens');
    if (!grants.includes('token_exchange') && (exchange.audience ?? exchange.resource) !== undefined)
      throw invalid('exchange: this provider is told by scopes whom a token is for');
    if (!grants.includes('token_exchange') && scopes === undefined)
      throw invalid('scopes: of an exchange on behalf of somebody have to be said');
    const { manager } = this.source;
    const from = await manager.findOneBy(Provider, { id: exchange.from, status: 'active' });
    const isConsented = from !== null && from.form === null && from.exchange === null && from.discovered === null;
    if (!isConsented || from.id === id) throw invalid('exchange.from: no provider at which people connect');
  }

  private viewOf(row: Provider): ProviderView {
    const { id, version, status, entry, clientId, hasSecret, authentication, assertion } = row;
    const { exchange, form, scopes, parameters, pausedUntilMs, alarm, discovered } = row;
    const title = form?.title ?? this.setups.entryOf(row)?.title ?? entry;
    const until = Number(pausedUntilMs);
    const callbackUrl = this.given.callbacks.urlOf(row);
    const how = discovered?.client ?? null;
    const client = { clientId, hasSecret, authentication, assertion, exchange, form, callbackUrl, client: how };
    const paused = until > this.given.wallMs() ? until : 0;
    return { id, version, status, entry, title, ...client, scopes, parameters, pausedUntilMs: paused, alarm };
  }

  private locked<T>(id: string, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.source.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`provider ${id}`]);
      return work(manager);
    });
  }
}

function unknown(id: string): AdminError {
  return new AdminError(404, 'WDR_PROVIDER_UNKNOWN', `no provider ${id} is set up`, 'no such provider is set up');
}
