import type { GuardedFetch } from '@warder/egress';
import type { JWKS } from 'oidc-provider';
import { withStore } from '@warder/postgres';
import type { IdentityStore } from '../identity.store.js';
import { isKeySet, type KeySets } from './key-sets.js';

/** A client's metadata (RFC 7591 section 2), as far as it is looked at here. */
export interface ClientDocument {
  readonly redirect_uris?: unknown;
  readonly application_type?: unknown;
  readonly [member: string]: unknown;
}

const MODEL = 'ClientDocument';
const KEPT_DAYS = 30;
/** Bytes of a document that is kept, which are those that the library takes. */
const KEPT_BYTES_MAX = 5_120;
/** Documents that are kept of clients that nobody has allowed anything: anybody can name as many as they like. */
const KEPT_UNUSED_MAX = 1_000;

/**
 * Documents of clients that many people have, for days on which their publisher cannot be reached: a sign-in must not
 * depend on somebody else's web server.
 */
const PINNED: Readonly<Record<string, ClientDocument>> = {
  'https://claude.ai/oauth/claude-code-client-metadata': {
    client_id: 'https://claude.ai/oauth/claude-code-client-metadata',
    client_name: 'Claude Code',
    client_uri: 'https://claude.ai',
    redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  },
};

/**
 * Metadata in which `application_type` is what the redirect URIs say: a client on a person's machine often names none,
 * and the default, `web`, refuses its loopback address (OpenID Connect Dynamic Client Registration section 2).
 */
export function withApplicationType(document: ClientDocument): ClientDocument {
  const { redirect_uris: uris, application_type: type } = document;
  if (!Array.isArray(uris) || uris.length === 0 || type === 'native') return document;
  return uris.some(isOfMachine) ? { ...document, application_type: 'native' } : document;
}

function isOfMachine(uri: unknown): boolean {
  if (typeof uri !== 'string' || !URL.canParse(uri)) return false;
  const { protocol, hostname } = new URL(uri);
  if (protocol === 'https:') return false;
  return protocol !== 'http:' || ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
}

/**
 * Fetches client documents (draft-ietf-oauth-client-id-metadata-document section 4) so that the last good copy, or the
 * pinned one, answers when the publisher does not.
 */
export class ClientDocuments {
  constructor(
    private readonly store: IdentityStore,
    private readonly fetchGuarded: GuardedFetch,
    private readonly keySets: KeySets,
  ) {}

  /**
   * The document of a client id that is a URL, or the keys that a client publishes at one: of these no copy answers for
   * whoever cannot be reached.
   * @throws whatever kept it away, where no copy of a document is known
   */
  async fetch(url: string, init?: RequestInit): Promise<Response> {
    const held = await this.keySets.get(url);
    if (held !== undefined) return held;
    try {
      const response = await this.fetchGuarded(url, init);
      if (response.status !== 200) throw new Error(`the document answers ${response.status}`);
      const text = await response.text();
      const document = JSON.parse(text) as unknown;
      if (isKeySet(document) && (await this.copyOf(url)) === undefined) return this.keySets.answer(url, text);
      if (!isOf(url, document)) throw new Error('the document is not of this client');
      await this.keep(url, document);
      return answerOf(document, response.headers);
    } catch (error) {
      const known = await this.copyOf(url);
      if (known === undefined) throw error;
      return answerOf(known, new Headers());
    }
  }

  /** The keys of a client that registered itself. */
  keysAt(url: string): Promise<JWKS> {
    return this.keySets.of(url, this.fetchGuarded);
  }

  private async copyOf(url: string): Promise<ClientDocument | undefined> {
    return (await this.kept(url)) ?? (Object.hasOwn(PINNED, url) ? PINNED[url] : undefined);
  }

  private async keep(url: string, document: ClientDocument): Promise<void> {
    const text = JSON.stringify(document);
    if (Buffer.byteLength(text) > KEPT_BYTES_MAX) return;
    const expiresAtMs = this.store.wallMs() + KEPT_DAYS * 86_400_000;
    await withStore(() =>
      this.store.source.query(
        `INSERT INTO oauth_item (model, id, payload, expires_at) SELECT $1, $2, $3, to_timestamp($4::numeric / 1000)
         WHERE (SELECT count(*) FROM oauth_item WHERE model = $1) < $5
           OR EXISTS (SELECT 1 FROM oauth_item WHERE model = 'Grant' AND payload->>'clientId' = $2)
         ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at`,
        [MODEL, url, text, expiresAtMs, KEPT_UNUSED_MAX],
      ),
    );
  }

  private async kept(url: string): Promise<ClientDocument | undefined> {
    const rows = await withStore<{ payload: ClientDocument }[]>(() =>
      this.store.source.query('SELECT payload FROM oauth_item WHERE model = $1 AND id = $2', [MODEL, url]),
    );
    return rows[0]?.payload;
  }
}

/** What a publisher answers who has lost the document must not take the place of the copy. */
function isOf(url: string, value: unknown): value is ClientDocument {
  if (typeof value !== 'object' || value === null) return false;
  const { client_id: id, redirect_uris: uris } = value as ClientDocument;
  return id === url && Array.isArray(uris) && uris.length > 0;
}

function answerOf(document: ClientDocument, given: Headers): Response {
  const headers = new Headers({ 'content-type': 'application/json' });
  for (const name of ['cache-control', 'expires']) {
    const value = given.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(JSON.stringify(withApplicationType(document)), { headers });
}
