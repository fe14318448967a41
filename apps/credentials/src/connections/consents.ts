import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ConnectionKind } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import {
  accountOf,
  accountRequest,
  authorizationUrl,
  clientCredentialsRequest,
  codeRequest,
  type GrantedTokens,
  isAnswerOf,
  issuerOf,
  type ProviderAccount,
  type ProviderSetup,
  readAccount,
  readTokenAnswer,
  renderUrl,
  scopesOf,
  stepAfterConsent,
} from '@warder/provider-catalog';
import { AdminError } from '@warder/service-host';
import type { Callbacks } from './callbacks.js';
import type { ConnectionStates } from './connection-states.store.js';
import type { ConnectionsStore, ConnectionView } from './connections.store.js';
import type { Provider } from './provider.entity.js';
import { placeOf } from './provider-place.js';
import { type ProviderClient, ProviderSilent } from './provider-client.js';
import { type ProviderSetups, SetupUnusable } from './provider-setups.js';
import type { ProvidersStore } from './providers.store.js';
import type { SealedTokens } from './sealed-tokens.js';

/** A person has so long to say yes at the provider. */
const ATTEMPT_MS = 600_000;
/** Attempts of one person that may be under way. */
const ATTEMPTS_MAX = 20;

/** What a person starts. */
export interface ConsentAsked {
  readonly provider: string;
  readonly kind: Extract<ConnectionKind, `oauth_${string}`>;
  readonly principalId: string;
  /** The browser's own secret. */
  readonly browser: string;
  /** Where the person goes on afterwards, below `/connections`. */
  readonly backTo: string;
}

interface Attempt {
  readonly state_digest: string;
  readonly provider: string;
  readonly kind: ConsentAsked['kind'];
  readonly principal_id: string;
  readonly browser_digest: string;
  readonly verifier: string;
  /** Of `placeOf`, when the browser was sent there. */
  readonly place: string;
  readonly back_to: string;
  readonly expires_at_ms: string;
}

export interface ConsentsParts {
  readonly states: ConnectionStates;
  readonly tokens: SealedTokens;
  readonly providers: ProvidersStore;
  readonly setups: ProviderSetups;
  readonly client: Pick<ProviderClient, 'send'>;
  readonly connections: ConnectionsStore;
  readonly callbacks: Pick<Callbacks, 'urlOf'>;
}

/**
 * Consent at providers (RFC 6749 section 4.1): each state is used once, by the browser and the person that it was made
 * for, with PKCE, and only with the answer of the server that was asked (RFC 9207).
 */
export class Consents {
  constructor(private readonly parts: ConsentsParts) {}

  /** @returns where the browser is sent; @throws AdminError 404 WDR_PROVIDER_UNKNOWN; 503 WDR_PROVIDER_UNUSABLE */
  async begin(asked: ConsentAsked): Promise<URL> {
    const { setup, provider } = await this.setupOf(asked.provider);
    const [state, verifier] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
    const digest = digestOf(state);
    const sealed = await this.parts.tokens.seal(digest, 'verifier', 1, verifier);
    const { states } = this.parts;
    const nowMs = states.wallMs();
    await states.source.query(
      `WITH old AS (
         DELETE FROM connection_attempt WHERE expires_at_ms <= $8::bigint OR state_digest IN (
           SELECT state_digest FROM connection_attempt WHERE principal_id = $4 ORDER BY expires_at_ms DESC OFFSET $9)
       ) INSERT INTO connection_attempt
         (state_digest, provider, kind, principal_id, browser_digest, verifier, back_to, expires_at_ms, place)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8::bigint + ${ATTEMPT_MS}, $10)`,
      [
        digest,
        asked.provider,
        asked.kind,
        asked.principalId,
        digestOf(asked.browser),
        sealed,
        asked.backTo,
        nowMs,
        ATTEMPTS_MAX - 1,
        placeOf(provider),
      ],
    );
    return authorizationUrl(setup, {
      redirectUri: this.parts.callbacks.urlOf(provider),
      state,
      codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
      ...(provider.scopes === null ? {} : { scopes: provider.scopes }),
    });
  }

  /**
   * Takes what the provider sent the browser back with. What is asked for tokens follows from the state alone.
   * @param at - the provider whose address the browser was sent back to
   * @returns what was connected, and where the person goes on
   * @throws AdminError 400 WDR_CONNECT_REFUSED and why, 502 WDR_PROVIDER_UNUSABLE
   */
  async finish(
    at: string,
    query: URLSearchParams,
    browser: string | undefined,
    by: AdminActor,
  ): Promise<{ readonly connection: ConnectionView; readonly backTo: string }> {
    const attempt = await this.attemptOf(query.get('state') ?? '');
    if (browser === undefined || !isSame(digestOf(browser), attempt.browser_digest))
      throw refused('This was not begun in this browser.', 'another browser');
    if (by.principal?.id !== attempt.principal_id)
      throw refused('Somebody else began this. Sign in as yourself and begin again.', 'another person');
    // Whoever began it was one, and may have stopped to be one while they were at the provider.
    if (attempt.kind !== 'oauth_user' && !by.principal.roles.includes('admin'))
      throw refused('An administrator connects what everybody shares.', 'no administrator any more');
    // Another provider sent the browser on to this one, to have its code (RFC 9700 section 4.4).
    if (at !== attempt.provider) throw refused('The answer came from another server than was asked.', 'callback');
    const { setup, provider } = await this.setupOf(attempt.provider);
    if (placeOf(provider) !== attempt.place)
      throw refused('An administrator changed this meanwhile. Begin again.', 'provider moved');
    ensureIssuer(setup, query);
    const code = query.get('code');
    if (code === null || query.has('error')) {
      const error = query.get('error') ?? '';
      throw refused(
        `${setup.entry.title} did not agree.`,
        `the provider said ${/^[\w.-]{1,80}$/.exec(error)?.[0] ?? 'no'}`,
      );
    }
    const verifier = await this.parts.tokens.open(attempt.state_digest, 'verifier', 1, attempt.verifier);
    const redirectUri = this.parts.callbacks.urlOf(provider);
    const tokens = await this.exchange(setup, { code, redirectUri, codeVerifier: verifier });
    const connection = await this.parts.connections.establish(
      {
        provider: provider.id,
        place: placeOf(provider),
        kind: attempt.kind,
        principalId: attempt.kind === 'oauth_user' ? attempt.principal_id : null,
        account: accountOf(setup, tokens) ?? (await this.account(setup, tokens)),
        tokens,
        facts: { ...tokens.facts, ...(await this.factsOf(setup, tokens)) },
        scopes: scopesOf(setup, provider.scopes ?? undefined),
      },
      by,
    );
    return { connection, backTo: attempt.back_to };
  }

  /** Connects our client itself, with nobody's consent (RFC 6749 section 4.4). */
  async connectClient(providerId: string, by: AdminActor): Promise<ConnectionView> {
    const { setup, provider } = await this.setupOf(providerId);
    if (!setup.entry.grants.includes('client_credentials'))
      throw refused(`${setup.entry.title} offers no client credentials.`, 'grant not offered');
    const scopes = provider.scopes ?? undefined;
    const tokens = await this.tokensOf(setup, () => this.parts.client.send(clientCredentialsRequest(setup, scopes)));
    return this.parts.connections.establish(
      {
        provider: provider.id,
        place: placeOf(provider),
        kind: 'client_credentials',
        principalId: null,
        account: undefined,
        tokens,
        facts: tokens.facts,
        scopes: scopesOf(setup, scopes),
      },
      by,
    );
  }

  /** Deleted with the look: a state that was used once is not there any more. */
  private async attemptOf(state: string): Promise<Attempt> {
    const { states } = this.parts;
    const [rows] = (await states.source.query('DELETE FROM connection_attempt WHERE state_digest = $1 RETURNING *', [
      digestOf(state),
    ])) as [Attempt[], number];
    const [attempt] = rows;
    if (attempt === undefined || Number(attempt.expires_at_ms) <= states.wallMs())
      throw refused('This link was used already, or is too old. Begin again.', 'no such state');
    return attempt;
  }

  private exchange(setup: ProviderSetup, code: Parameters<typeof codeRequest>[1]): Promise<GrantedTokens> {
    return this.tokensOf(setup, () => this.parts.client.send(codeRequest(setup, code)));
  }

  private async tokensOf(setup: ProviderSetup, send: () => ReturnType<ProviderClient['send']>): Promise<GrantedTokens> {
    const answer = await orUnusable(setup, send);
    const read = readTokenAnswer(setup.entry, 'first', answer, this.parts.states.wallMs());
    if ('tokens' in read) return read.tokens;
    const { kind, code } = read.failure;
    if (kind === 'terminal') throw refused(`${setup.entry.title} did not take the code. Begin again.`, code);
    throw new AdminError(502, 'WDR_PROVIDER_UNUSABLE', `${setup.entry.title} gave no token (${code})`);
  }

  /** What only this provider has to be asked after consent. */
  private async factsOf(
    setup: ProviderSetup,
    { accessToken }: GrantedTokens,
  ): Promise<Readonly<Record<string, string>>> {
    const step = stepAfterConsent(setup.entry);
    if (step === undefined) return {};
    const request = step.request(setup, accessToken);
    const facts = step.read(setup, await orUnusable(setup, () => this.parts.client.send(request)));
    if (facts === undefined)
      throw refused(`The account that you chose at ${setup.entry.title} cannot be used here.`, 'step after consent');
    return facts;
  }

  private async account(setup: ProviderSetup, tokens: GrantedTokens): Promise<ProviderAccount | undefined> {
    const request = accountRequest(setup, tokens.accessToken);
    if (request === undefined) return undefined;
    return readAccount(setup, await orUnusable(setup, () => this.parts.client.send(request)));
  }

  private async setupOf(id: string): Promise<{ setup: ProviderSetup; provider: Provider }> {
    const provider = await this.parts.providers.active(id);
    if (provider.form !== null) throw refused(`${provider.form.title} has no consent to ask for.`, 'no OAuth');
    if (provider.exchange !== null) throw refused('Nobody consents here: its tokens are exchanged.', 'exchange');
    try {
      return { setup: await this.parts.setups.of(provider), provider };
    } catch (error) {
      if (error instanceof SetupUnusable) throw new AdminError(503, 'WDR_PROVIDER_UNUSABLE', error.message);
      throw error;
    }
  }
}

/**
 * Mix-up: an answer counts only from the server that was asked (RFC 9207 section 2.4). Where nobody says the issuer, the
 * answer may name one that is at the authorization endpoint's own origin.
 */
function ensureIssuer(setup: ProviderSetup, query: URLSearchParams): void {
  const { entry, values } = setup;
  const said = query.get('iss');
  const isNear =
    issuerOf(setup) !== undefined ||
    said === null ||
    (URL.canParse(said) && new URL(said).origin === renderUrl(entry, entry.authorization.endpoint, values).url.origin);
  if (!isNear || !isAnswerOf(setup, said))
    throw refused('The answer came from another server than was asked.', 'issuer');
}

async function orUnusable<T>({ entry }: ProviderSetup, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof ProviderSilent)) throw error;
    throw new AdminError(502, 'WDR_PROVIDER_UNUSABLE', `${entry.title} does not answer (${error.message})`);
  }
}

function refused(sentence: string, detail: string): AdminError {
  return new AdminError(400, 'WDR_CONNECT_REFUSED', sentence, detail);
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

function isSame(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
