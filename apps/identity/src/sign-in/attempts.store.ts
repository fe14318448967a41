import { hash, randomBytes } from 'node:crypto';
import type { Sealing } from '../authorization/sealing.js';
import type { IdentityStore } from '../identity.store.js';
import type { AttemptSecrets } from './company-provider.js';

/** How long a person may take at the provider. */
const ATTEMPT_MS = 600_000;

/** What an attempt must come back to, and what only we know of it. */
export interface Attempt {
  readonly interaction: string;
  readonly secrets: AttemptSecrets;
}

/**
 * Sign-ins that were sent away after the person's consent. The state that comes back is of one browser, of one provider,
 * and good once (RFC 9700 section 4.7): whoever plants it in another browser, or a second time, finds nothing.
 */
export class AttemptsStore {
  constructor(
    private readonly store: IdentityStore,
    private readonly sealing: Sealing,
  ) {}

  /** @returns the state, 256 random bits */
  async begin(provider: string, browser: string, { interaction, secrets }: Attempt): Promise<string> {
    const state = randomBytes(32).toString('base64url');
    const digest = digestOf(state);
    const nowMs = this.store.wallMs();
    await this.store.source.query('DELETE FROM sign_in_attempt WHERE expires_at_ms < $1', [nowMs]);
    await this.store.source.query(
      `INSERT INTO sign_in_attempt (state_digest, browser_digest, interaction, provider, sealed, expires_at_ms)
       VALUES ($1, $2, $3, $4, $5, $6)`,
      [
        digest,
        digestOf(browser),
        interaction,
        provider,
        this.sealing.seal(JSON.stringify(secrets), placeOf(digest)),
        nowMs + ATTEMPT_MS,
      ],
    );
    return state;
  }

  /** Takes the attempt out; undefined unless all three are those with which it began. */
  async take(state: string, provider: string, browser: string): Promise<Attempt | undefined> {
    const digest = digestOf(state);
    const [rows]: [{ interaction: string; sealed: string }[], number] = await this.store.source.query(
      `DELETE FROM sign_in_attempt
       WHERE state_digest = $1 AND provider = $2 AND browser_digest = $3 AND expires_at_ms > $4
       RETURNING interaction, sealed`,
      [digest, provider, digestOf(browser), this.store.wallMs()],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const secrets = JSON.parse(this.sealing.open(row.sealed, placeOf(digest))) as AttemptSecrets;
    return { interaction: row.interaction, secrets };
  }
}

function digestOf(value: string): string {
  return hash('sha256', value, 'base64url');
}

function placeOf(digest: string): string {
  return `sign_in_attempt.sealed/${digest}`;
}
