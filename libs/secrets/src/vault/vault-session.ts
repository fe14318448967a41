import { SecretError } from '../secret-store.js';
import type { VaultClient } from './vault-client.js';
import { tokenOf, type VaultLogin, type VaultToken } from './vault-login.js';

/** After a refusal the next login waits: a vault counts them and may lock the role out. */
const REFUSED_WAIT_MS = 1_000;
/** Between two tries to renew while the vault is away. */
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 5_000;

interface Held extends VaultToken {
  readonly endsAtMs: number;
  /** What the login gave: a renewal that gives less than half of it is near the token's last end. */
  readonly fullMs: number;
}

/**
 * Our token: got at the first use, renewed at two thirds of its time, replaced by a login where a renewal is refused or
 * comes near the token's greatest age. node-vault's own renewal ends at its first error.
 */
export class VaultSession {
  private held: Held | undefined;
  private entering: Promise<Held> | undefined;
  private refused: { readonly error: unknown; readonly untilMs: number } | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly client: VaultClient,
    private readonly login: VaultLogin,
    private readonly nowMs: () => number,
  ) {}

  async token(): Promise<string> {
    const { held } = this;
    if (held && (held.ttlMs === 0 || this.nowMs() < held.endsAtMs)) return held.token;
    return (await this.enter()).token;
  }

  /**
   * Does `work`; where it is refused because the token is no longer one, logs in and does it once more.
   * @throws SecretError what `work` throws
   */
  async with<T>(work: (token: string) => Promise<T>): Promise<T> {
    const token = await this.token();
    try {
      return await work(token);
    } catch (error) {
      if (!isRefused(error) || (await this.isAlive(token))) throw error;
      this.forget(token);
      return work(await this.token());
    }
  }

  /** Gives the token back, so that it ends now and not at its time. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    const { held } = this;
    this.held = undefined;
    if (held) await this.client.write('auth/token/revoke-self', {}, held.token).catch(() => undefined);
  }

  private async enter(): Promise<Held> {
    if (this.isClosed) throw new SecretError('closed', 'the secret store was closed');
    if (this.refused && this.nowMs() < this.refused.untilMs) throw this.refused.error;
    this.entering ??= this.login()
      .then((token) => this.keep(token))
      .catch((error: unknown) => {
        if (isRefused(error)) this.refused = { error, untilMs: this.nowMs() + REFUSED_WAIT_MS };
        throw error;
      })
      .finally(() => {
        this.entering = undefined;
      });
    return this.entering;
  }

  private keep(token: VaultToken, fullMs = token.ttlMs): Held {
    const held = { ...token, fullMs, endsAtMs: this.nowMs() + token.ttlMs };
    this.held = held;
    this.refused = undefined;
    if (token.ttlMs > 0 && !this.isClosed) this.schedule((token.ttlMs * 2) / 3);
    return held;
  }

  private schedule(waitMs: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.renew(), waitMs).unref();
  }

  private async renew(): Promise<void> {
    const { held } = this;
    if (!held || this.isClosed) return;
    try {
      if (!held.isRenewable) return void (await this.enter());
      const renewed = tokenOf(await this.client.write('auth/token/renew-self', {}, held.token));
      if (this.held !== held) return;
      // No time left is told as 0, as is no end: a login's token is the only one without an end.
      if (renewed.ttlMs <= held.fullMs / 2) await this.enter();
      else this.keep(renewed, held.fullMs);
    } catch {
      // Refused, past its greatest age, or the vault is away: a login tells, and the old token is good to its end.
      await this.enter().catch(() => {
        const leftMs = held.endsAtMs - this.nowMs();
        this.schedule(Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, leftMs / 4)));
      });
    }
  }

  private async isAlive(token: string): Promise<boolean> {
    try {
      await this.client.read('auth/token/lookup-self', token);
      return true;
    } catch (error) {
      return !isRefused(error);
    }
  }

  private forget(token: string): void {
    if (this.held?.token === token) this.held = undefined;
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof SecretError && error.reason === 'refused';
}
