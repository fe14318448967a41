import { randomBytes } from 'node:crypto';
import {
  type ClientAuthenticationMethod,
  parameterValues,
  ProviderEntry,
  type ProviderSetup,
  renderText,
} from '@warder/provider-catalog';
import type { ClientKeys } from '../client-keys/client-keys.js';
import type { Provider } from './provider.entity.js';

/** Seconds that an assertion is good for: it is made for one request. */
const ASSERTION_SECONDS = 60;

/** A provider that cannot be used as it is set up. */
export class SetupUnusable extends Error {
  override readonly name = 'SetupUnusable';
}

/** Providers as they are set up: their entry, their parameters, and the secret of our client there. */
export class ProviderSetups {
  private readonly held = new Map<string, { readonly version: number; readonly setup: ProviderSetup }>();

  constructor(
    private readonly entries: ReadonlyMap<string, ProviderEntry>,
    private readonly secrets: { get(name: string): Promise<string | undefined> },
    private readonly keys: Pick<ClientKeys, 'signer'>,
    private readonly wallMs: () => number,
  ) {}

  entry(id: string): ProviderEntry | undefined {
    return this.entries.get(id);
  }

  /** The catalogue's, or the provider's own where it was discovered; what an earlier Warder kept may be none any more. */
  entryOf({ entry, discovered }: Pick<Provider, 'entry' | 'discovered'>): ProviderEntry | undefined {
    return discovered === null ? this.entries.get(entry) : ProviderEntry.safeParse(discovered.entry).data;
  }

  allEntries(): readonly ProviderEntry[] {
    return [...this.entries.values()];
  }

  /** @throws SetupUnusable where its entry or its secret is gone, or no way of proving our client is left */
  async of(provider: Provider): Promise<ProviderSetup> {
    const endsAtMs = provider.discovered?.secretExpiresAtMs ?? null;
    if (endsAtMs !== null && endsAtMs <= this.wallMs())
      throw new SetupUnusable(`the registration at ${provider.id} has ended: set it up once more`);
    const known = this.held.get(provider.id);
    if (known?.version === provider.version) return this.withKey(provider, known.setup);
    const entry = this.entryOf(provider);
    if (entry === undefined) throw new SetupUnusable(`the catalogue has no ${provider.entry}`);
    const setup: ProviderSetup = {
      entry,
      values: parameterValues(entry, provider.discovered?.values ?? provider.parameters),
      clientId: provider.clientId,
      authentication: await this.authentication(provider, entry),
    };
    this.held.set(provider.id, { version: provider.version, setup });
    return this.withKey(provider, setup);
  }

  /** Keys turn while the provider stays as it is, so the signer is asked for each time; it is in memory. */
  private async withKey(provider: Provider, setup: ProviderSetup): Promise<ProviderSetup> {
    if (setup.authentication.method !== 'private_key_jwt') return setup;
    const { algorithm, audience } = provider.assertion ?? { algorithm: 'RS256' };
    const aud = audience ?? renderText(setup.entry.token.endpoint, setup.values);
    const sign = await this.keys.signer(algorithm);
    const { clientId } = setup;
    const assertion = (): string => sign('JWT', assertionClaims({ clientId, aud, nowMs: this.wallMs() }));
    return { ...setup, authentication: { method: 'private_key_jwt', assertion } };
  }

  private async authentication(provider: Provider, entry: ProviderEntry): Promise<ProviderSetup['authentication']> {
    const method = authenticationOf(provider, entry);
    if (method === undefined) throw new SetupUnusable(`${provider.id} needs another way to prove our client`);
    if (method === 'none') return { method };
    // Whoever asks for a setup gets one that signs.
    if (method === 'private_key_jwt') return { method, assertion: () => '' };
    const secret = provider.secretName === null ? undefined : await this.secrets.get(provider.secretName);
    if (secret === undefined) throw new SetupUnusable(`the secret of ${provider.id} is gone`);
    return { method, secret };
  }
}

/** As an administrator said, or with the secret where there is one, or as what needs none; undefined: no way is left. */
function authenticationOf(
  { authentication, hasSecret }: Pick<Provider, 'authentication' | 'hasSecret'>,
  { token: { authentication: methods } }: ProviderEntry,
): ClientAuthenticationMethod | undefined {
  if (authentication !== null) return methods.includes(authentication) ? authentication : undefined;
  if (hasSecret) return methods.find((each) => each === 'client_secret_basic' || each === 'client_secret_post');
  return (['none', 'private_key_jwt'] as const).find((each) => methods.includes(each));
}

/** RFC 7523 section 3, for one request: good for a minute, and with an id of its own. */
function assertionClaims(of: { readonly clientId: string; readonly aud: string; readonly nowMs: number }): object {
  const iat = Math.floor(of.nowMs / 1_000);
  const { clientId, aud } = of;
  const jti = randomBytes(16).toString('base64url');
  return { iss: clientId, sub: clientId, aud, jti, iat, exp: iat + ASSERTION_SECONDS };
}
