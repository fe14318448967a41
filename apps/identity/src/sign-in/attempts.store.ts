import { hash, randomBytes } from 'node:crypto';
import type { Sealing } from '../authorization/sealing.js';
import type { IdentityStore } from '../identity.store.js';
import type { AttemptSecrets } from './company-provider.js';

/** How long a person may take at the provider. */
const ATTEMPT_MS = 600_000;

/** An attempt that came back. */
export interface Returned extends Attempt {
  /** What the provider had the browser post; undefined where nothing was. */
  readonly posted: string | undefined;
}

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

  /**
   * Keeps what a page of the provider's had the browser post, until the browser comes for it. Such a POST is from another
   * site, so that the browser's cookie is not with it and nothing can be decided yet (RFC 6265bis section 5.8.3). The
   * first is kept, and none for what is not an open attempt: there are never more of them than attempts.
   * @returns whether there is such an attempt
   */
  async hold(state: string, provider: string, answer: string): Promise<boolean> {
    const digest = digestOf(state);
    const [rows]: [unknown[], number] = await this.store.source.query(
      `UPDATE sign_in_attempt SET answer = coalesce(answer, $4)
       WHERE state_digest = $1 AND provider = $2 AND expires_at_ms > $3 RETURNING provider`,
      [digest, provider, this.store.wallMs(), this.sealing.seal(answer, answerPlaceOf(digest))],
    );
    return rows.length > 0;
  }

  /** Takes the attempt out; undefined unless all three are those with which it began. */
  async take(state: string, provider: string, browser: string): Promise<Returned | undefined> {
    const digest = digestOf(state);
    const [rows]: [HeldRow[], number] = await this.store.source.query(
      `DELETE FROM sign_in_attempt
       WHERE state_digest = $1 AND provider = $2 AND browser_digest = $3 AND expires_at_ms > $4
       RETURNING interaction, sealed, answer`,
      [digest, provider, digestOf(browser), this.store.wallMs()],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const secrets = JSON.parse(this.sealing.open(row.sealed, placeOf(digest))) as AttemptSecrets;
    const { interaction, answer } = row;
    const posted = answer === null ? undefined : this.sealing.open(answer, answerPlaceOf(digest));
    return { interaction, secrets, posted };
  }
}

interface HeldRow {
  readonly interaction: string;
  readonly sealed: string;
  readonly answer: string | null;
}

function digestOf(value: string): string {
  return hash('sha256', value, 'base64url');
}

function placeOf(digest: string): string {
  return `sign_in_attempt.sealed/${digest}`;
}

function answerPlaceOf(digest: string): string {
  return `sign_in_attempt.answer/${digest}`;
}
