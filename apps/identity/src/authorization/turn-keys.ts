import { storeErrorOf } from '@warder/postgres';
import type { Host } from '@warder/service-host';
import type { IdentityConfig } from '../identity-config.js';
import type { Spread } from '../spread.js';
import type { SigningKeysStore, SigningKeyTimes } from './signing-keys.store.js';

const TURN_EVERY_MS = 5_000;
/** For which nodes are waited for; the next look waits again. */
const SPREAD_MS = 10_000;
/** That an ID token lives. */
const ID_TOKEN_MS = 3_600_000;
/** By which the clocks of nodes may differ. */
const SKEW_MS = 300_000;

/** When signing keys turn. */
export function timesOf({ authorization }: IdentityConfig): SigningKeyTimes {
  const { signingKeyDays, signingKeyAheadSeconds, accessTokenMinutes } = authorization;
  return {
    everyMs: signingKeyDays * 86_400_000,
    aheadMs: signingKeyAheadSeconds * 1_000,
    outlivedMs: Math.max(accessTokenMinutes * 60_000, ID_TOKEN_MS) + SKEW_MS,
  };
}

/** Looks every five seconds for what it is time for. */
export function turnKeys(host: Host, keys: SigningKeysStore, spread: Spread): void {
  const isEverywhere = async (): Promise<boolean> => {
    const { appliedEverywhere } = await spread.after({ wait: String(SPREAD_MS) }, async () => ({}));
    return appliedEverywhere === true;
  };
  const turn = (): void =>
    void keys
      .turn(isEverywhere)
      .catch((error: unknown) => host.log.warn({ err: storeErrorOf(error) }, 'the signing keys could not be turned'));
  const turner = setInterval(turn, TURN_EVERY_MS).unref();
  host.onDrain('signing keys', async () => clearInterval(turner));
}
