import { isKept, isOfPerson, KeptKind, type PrincipalState } from '@warder/contracts';
import { type GuestActing as Acting, type Html, PageError } from '@warder/pages';
import { fieldsOf, formOf } from '../kept/credential-form.js';
import type { KeptCredentials } from '../kept/kept-credentials.js';
import type { DiscoveredProviders } from '../discovery/discovered-providers.js';
import type { Consents } from './consents.js';
import { connectionsPage, connectPage, type ProviderShown } from './connections-pages.js';
import type { ConnectionsStore, ConnectionView } from './connections.store.js';
import type { ProvidersStore } from './providers.store.js';
import type { TokenEndings } from './token-endings.store.js';
import type { UpstreamAuthsStore } from './upstream-auths.store.js';
import type { UpstreamUses } from './upstream-uses.js';

/** What stands on the page; our own client's connections are the administrators' at their door. */
const SHOWN_KINDS = ['oauth_user', 'oauth_shared', ...KeptKind.options] as const;

export interface ConnectionActsParts {
  readonly consents: Consents;
  readonly kept: KeptCredentials;
  readonly connections: ConnectionsStore;
  readonly providers: ProvidersStore;
  readonly auths: UpstreamAuthsStore;
  readonly uses: UpstreamUses;
  readonly discovered: Pick<DiscoveredProviders, 'ensureSame'>;
  readonly endings: Pick<TokenEndings, 'wake'>;
  readonly wallMs: () => number;
}

/** What a person does with their connections. Whatever is named and is somebody else's is not there. */
export class ConnectionActs {
  constructor(private readonly parts: ConnectionActsParts) {}

  async overview({ by, form }: Acting, notice: string | null): Promise<Html> {
    const shown = await this.shown(by.principal);
    return connectionsPage({
      name: by.principal.name,
      form,
      own: shown.filter(({ kind }) => isOfPerson(kind)),
      shared: shown.filter(({ kind }) => !isOfPerson(kind)),
      notice,
      nowMs: this.parts.wallMs(),
    });
  }

  /** @throws PageError 404 for an upstream that takes no account of a person */
  async link({ by, form }: Acting, upstream: string): Promise<Html> {
    const auth = (await this.parts.auths.list()).find((each) => each.upstream === upstream);
    const provider = (await this.shown(by.principal)).find(({ id, kind, exchangedAt }) =>
      auth?.kind === 'token_exchange'
        ? kind === 'oauth_user' && exchangedAt.includes(auth.provider ?? '')
        : id === auth?.provider && kind === auth.kind && isOfPerson(kind),
    );
    if (provider === undefined) throw new PageError(404, 'There is nothing to connect here.');
    return connectPage({ name: by.principal.name, form, upstream, provider, nowMs: this.parts.wallMs() });
  }

  /** @returns where the browser is sent */
  async connect({ by, browser }: Acting, form: URLSearchParams): Promise<URL> {
    const [provider, kind] = [form.get('provider') ?? '', form.get('kind') ?? ''];
    const known = (await this.shown(by.principal)).find((each) => each.id === provider && each.kind === kind);
    if (known === undefined || isKept(known.kind)) throw new PageError(404, 'There is nothing to connect here.');
    if (!known.isTheirs) throw new PageError(403, 'An administrator connects what everybody shares.');
    await this.parts.discovered.ensureSame(provider);
    const principalId = by.principal.id;
    return this.parts.consents.begin({ provider, kind: known.kind, principalId, browser, backTo: '' });
  }

  /** Keeps what the person filled in; nothing of it is shown again. */
  async keep({ by }: Acting, form: URLSearchParams): Promise<void> {
    const [provider, kind] = [form.get('provider') ?? '', form.get('kind') ?? ''];
    const known = (await this.shown(by.principal)).find((each) => each.id === provider && each.kind === kind);
    if (known === undefined || !isKept(known.kind) || !isOfPerson(known.kind))
      throw new PageError(404, 'There is nothing to connect here.');
    const filled = known.fields.map(({ name }) => [name, form.get(`field.${name}`) ?? '']);
    const fields = Object.fromEntries(filled) as Record<string, string>;
    await this.parts.kept.keep({ provider, kind: known.kind, principalId: by.principal.id, fields }, by);
    this.parts.endings.wake();
  }

  /** @param at - the provider whose address the browser was sent back to */
  async finish({ by, browser }: Acting, at: string, query: URLSearchParams): Promise<ConnectionView> {
    const { connection } = await this.parts.consents.finish(at, query, browser, by);
    this.parts.endings.wake();
    return connection;
  }

  /** @throws AdminError 404 WDR_CONNECTION_UNKNOWN */
  async isShared(id: string): Promise<boolean> {
    return !isOfPerson((await this.parts.connections.get(id)).kind);
  }

  async disconnect({ by }: Acting, id: string): Promise<void> {
    const mayEndAny = by.principal.roles.includes('admin');
    const { connections, endings } = this.parts;
    // Of other people's an administrator disposes at the admin door, and here of what is shared.
    const { kind } = await connections.get(id);
    await connections.disconnect(id, by, mayEndAny && !isOfPerson(kind) ? undefined : by.principal.id);
    endings.wake();
  }

  private async shown(principal: PrincipalState): Promise<ProviderShown[]> {
    const { providers, auths, connections, uses } = this.parts;
    const isAdmin = principal.roles.includes('admin');
    const [known, upstreams, mine, shared] = await Promise.all([
      providers.list(),
      auths.list(),
      connections.list(principal.id),
      connections.shared(),
    ]);
    return known.flatMap((provider) => {
      const { id, title } = provider;
      const form = formOf(provider);
      return SHOWN_KINDS.flatMap((kind): ProviderShown[] => {
        // Whose token is exchanged elsewhere: those upstreams are used with this account too.
        const exchangedAt = kind === 'oauth_user' ? known.filter((each) => each.exchange?.from === id) : [];
        const exchanging = new Set(exchangedAt.map((each) => each.id));
        const taking = upstreams.filter(
          (each) =>
            (each.provider === id && each.kind === kind) ||
            (each.kind === 'token_exchange' && exchanging.has(each.provider ?? '')),
        );
        const has = (isOfPerson(kind) ? mine : shared).find(
          (each) => each.provider === id && each.kind === kind && (!isOfPerson(kind) || each.principalId !== null),
        );
        if (taking.length === 0 && has?.status !== 'active') return [];
        const servers = uses.serversOf(taking.map(({ upstream }) => upstream));
        const fields = form === null ? [] : fieldsOf(form);
        const isTheirs = isOfPerson(kind) || isAdmin;
        return [{ id, title, servers, kind, fields, connection: has, isTheirs, exchangedAt: [...exchanging] }];
      });
    });
  }
}
