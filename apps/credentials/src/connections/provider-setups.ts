import { parameterValues, type ProviderEntry, type ProviderSetup } from '@warder/provider-catalog';
import type { Provider } from './provider.entity.js';

/** Under which name a provider's client secret stands in the secret store. */
export function clientSecretName(providerId: string): string {
  return `provider/${providerId}`;
}

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
  ) {}

  entry(id: string): ProviderEntry | undefined {
    return this.entries.get(id);
  }

  allEntries(): readonly ProviderEntry[] {
    return [...this.entries.values()];
  }

  /** @throws SetupUnusable where its entry or its secret is gone, or no way of proving our client is left */
  async of(provider: Provider): Promise<ProviderSetup> {
    const known = this.held.get(provider.id);
    if (known?.version === provider.version) return known.setup;
    const entry = this.entries.get(provider.entry);
    if (entry === undefined) throw new SetupUnusable(`the catalogue has no ${provider.entry}`);
    const setup: ProviderSetup = {
      entry,
      values: parameterValues(entry, provider.parameters),
      clientId: provider.clientId,
      authentication: await this.authentication(provider, entry),
    };
    this.held.set(provider.id, { version: provider.version, setup });
    return setup;
  }

  private async authentication(provider: Provider, entry: ProviderEntry): Promise<ProviderSetup['authentication']> {
    const { authentication: methods } = entry.token;
    if (!provider.hasSecret) {
      if (methods.includes('none')) return { method: 'none' };
      throw new SetupUnusable(`${provider.id} needs a client secret`);
    }
    const secret = await this.secrets.get(clientSecretName(provider.id));
    if (secret === undefined) throw new SetupUnusable(`the secret of ${provider.id} is gone`);
    const method = methods.find((each) => each === 'client_secret_basic' || each === 'client_secret_post');
    if (method === undefined) throw new SetupUnusable(`${provider.id} takes no client secret`);
    return { method, secret };
  }
}
