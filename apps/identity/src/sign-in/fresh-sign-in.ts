import type { Provider } from 'oidc-provider';
import type { ProviderTraits } from './company-provider.js';
import type { SignedInThere } from './people.store.js';

/** Seconds by which a provider's clock may differ where its configuration does not say. */
const SKEW_S = 30;
/** A moment so long ago that nothing takes it for recent, in seconds; 0 would be none at all. */
const LONG_AGO_S = 1;

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/**
 * Since when somebody has to have said who they are, where a sign-in that is older is not enough: the client asked for
 * a new one, or for one of some age at most.
 * @returns wall milliseconds; undefined where any sign-in will do
 * @see OpenID Connect Core 1.0 section 3.1.2.1
 */
export function freshSince(
  { prompt, params }: Pick<Interaction, 'prompt' | 'params'>,
  nowMs: number,
): number | undefined {
  if (prompt.name !== 'login') return undefined;
  if (prompt.reasons.includes('login_prompt')) return nowMs;
  const { max_age: ageMaxS } = params;
  return ageMaxS === undefined ? undefined : nowMs - Number(ageMaxS) * 1_000;
}

/**
 * What is wrong with a sign-in that had to be a new one; undefined where it is one. A provider may take no notice of what
 * it was asked, and a browser may leave the question out on its way there: only what the provider signed counts.
 */
export function staleness(
  { authenticatedAtMs }: Pick<SignedInThere, 'authenticatedAtMs'>,
  { clockSkewSeconds = SKEW_S }: Pick<ProviderTraits, 'clockSkewSeconds'>,
  sinceMs: number,
  nowMs: number,
): string | undefined {
  if (authenticatedAtMs === null) return 'it does not say when the person signed in there';
  const skewMs = clockSkewSeconds * 1_000;
  if (authenticatedAtMs > nowMs + skewMs) return 'the person signed in there at a time that is yet to come';
  return authenticatedAtMs < sinceMs - skewMs ? 'the person was not asked there to sign in again' : undefined;
}

/**
 * How old a session is that comes of a sign-in at a provider: as old as that, for whoever is let in by a session of the
 * provider's has said there who they are, and not now. Where it is not told, no age is too great.
 * @returns seconds since the epoch
 */
export function sessionTime({ authenticatedAtMs }: Pick<SignedInThere, 'authenticatedAtMs'>, nowMs: number): number {
  if (authenticatedAtMs === null) return LONG_AGO_S;
  return Math.max(LONG_AGO_S, Math.floor(Math.min(authenticatedAtMs, nowMs) / 1_000));
}
