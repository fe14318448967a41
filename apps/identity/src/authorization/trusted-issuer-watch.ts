import { readFileSync } from 'node:fs';
import { guardedFetch } from '@warder/egress';
import type { Host } from '@warder/service-host';
import type { AuthorizationConfig } from './authorization-config.js';
import { issuerFacts } from './trusted-issuer.js';
import type { TrustedIssuerStore } from './trusted-issuer.store.js';

const FETCH = { timeoutMs: 5_000, bytesMax: 262_144 };

/**
 * Tells every node what the company's authorization server is, and looks for new keys from time to time: nodes never
 * ask for keys themselves, whatever tokens name. While the server is away the last good keys stay.
 */
export async function watchTrustedIssuer(
  { mode, trusted }: AuthorizationConfig,
  host: Pick<Host, 'log' | 'onDrain'>,
  store: TrustedIssuerStore,
): Promise<void> {
  if (mode === 'own' || trusted === undefined) return store.retire();
  const { hostname } = new URL(trusted.issuer);
  const ca = trusted.caFile === undefined ? {} : { ca: readFileSync(trusted.caFile, 'utf8') };
  // An operator named the issuer; what its documents name in turn is public, or where the issuer is itself.
  const isNamed = (url: URL): boolean => trusted.allowPrivateAddress && url.hostname === hostname;
  const fetch = guardedFetch({ ...FETCH, ...ca, isNamed });
  let running: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    try {
      const facts = await issuerFacts(trusted, fetch);
      if (facts.keys.length === 0) throw new Error('it has no key that can be used');
      if (await store.say(facts)) host.log.info({ issuer: trusted.issuer, keys: facts.keys.length }, 'trusted issuer');
    } catch (error) {
      host.log.warn({ err: error, issuer: trusted.issuer }, 'keys of the trusted issuer could not be read');
    }
  };
  const again = (): void => void (running ??= look().finally(() => (running = undefined)));
  const timer = setInterval(again, trusted.refreshMinutes * 60_000).unref();
  host.onDrain('trusted issuer', async () => {
    clearInterval(timer);
    await running;
  });
  // Not waited for: a company's server that is away must not keep Warder from starting.
  again();
}
