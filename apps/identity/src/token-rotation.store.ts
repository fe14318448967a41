import { randomBytes } from 'node:crypto';
import type { Pepper, RotateToken } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { digestOf, issueToken } from '@warder/tokens';
import type { EntityManager } from 'typeorm';
import { ensureBoundAsItsIssuer } from './bound-as-issuer.js';
import type { IdentityConfig } from './identity-config.js';
import type { IdentityStore } from './identity.store.js';
import { nextVersion } from './next-version.js';
import { previousStateOf, type Token, tokenStateOf } from './token.entity.js';
import { findToken, type IssuedToken, prefixOf, type TokensStore } from './tokens.store.js';

/** New secrets for tokens that stay what they are: their id, name, owner and scopes. */
export class TokenRotation {
  constructor(
    private readonly store: IdentityStore,
    private readonly tokens: TokensStore,
    private readonly pepper: Pepper,
    private readonly bounds: IdentityConfig['tokens'],
  ) {}

  /**
   * Gives the token a new secret, told once by the answer. The old one works on for the time of grace, and no longer
   * than it would have; the one before that, if it still worked, ends now. The expiry stays unless a new one is asked for.
   * @param ownerId - only this principal's tokens are found, where given
   * @throws AdminError 400 WDR_TOKEN_GRACE or WDR_TOKEN_LIFETIME; 403 WDR_TOKEN_SCOPE; 404 WDR_TOKEN_NOT_FOUND; 409
   * WDR_TOKEN_INACTIVE or WDR_PRINCIPAL_INACTIVE
   */
  async rotate(id: string, body: RotateToken, by: AdminActor, ownerId?: string): Promise<IssuedToken> {
    const graceMs = this.graceMs(body.graceSeconds ?? this.bounds.defaultGraceSeconds);
    const lifetimeMs = body.expiresInDays === undefined ? undefined : this.tokens.lifetimeMs(body.expiresInDays);
    const text = issueToken(randomBytes);
    const view = await this.store.change(async (manager) => {
      const before = await findToken(manager, id, ownerId);
      const nowMs = this.store.wallMs();
      if (before.status !== 'active' || Number(before.expiresAtMs) <= nowMs)
        throw new AdminError(409, 'WDR_TOKEN_INACTIVE', 'the token is revoked or expired');
      await this.tokens.ensureOwnerIsActive(manager, before.principalId);
      ensureBoundAsItsIssuer(before.scopes, before.principalId, by);
      const row = nextVersion(before, {
        digest: digestOf(text, this.pepper.keys[this.pepper.current]!),
        prefix: prefixOf(text),
        pepperKeyId: this.pepper.current,
        generation: before.generation + 1,
        rotatedAtMs: String(nowMs),
        ...(lifetimeMs === undefined ? {} : { expiresAtMs: String(nowMs + lifetimeMs) }),
        ...previousOf(before, graceMs, nowMs),
      });
      await this.store.saveTokens(manager, [row]);
      await this.endOlder(manager, before, row);
      await this.record(manager, row, by);
      return this.tokens.viewOf(row);
    });
    return { ...view, token: text };
  }

  private graceMs(seconds: number): number {
    const { graceSecondsMax } = this.bounds;
    if (seconds <= graceSecondsMax) return seconds * 1_000;
    throw new AdminError(400, 'WDR_TOKEN_GRACE', `an old secret works on for ${graceSecondsMax} seconds at most`);
  }

  /** Ends the secrets that the row names no more, on every node, however long they would have worked. */
  private async endOlder(manager: EntityManager, before: Token, { version, previousDigest }: Token): Promise<void> {
    const older = previousStateOf(before);
    if (older !== undefined) await this.store.endSecret(manager, older.key, { ...older.message, version });
    if (previousDigest === null)
      await this.store.endSecret(manager, before.digest, { ...tokenStateOf(before), version });
  }

  private record(manager: EntityManager, row: Token, by: AdminActor): Promise<void> {
    const { id, principalId, generation } = row;
    const previous = previousStateOf(row)?.message;
    return this.store.record(manager, 'token.rotate', by, {
      id,
      principalId,
      generation,
      expiresAtMs: Number(row.expiresAtMs),
      previous: { generation: generation - 1, expiresAtMs: previous?.expiresAtMs ?? Number(row.rotatedAtMs) },
    });
  }
}

function previousOf(
  { digest, pepperKeyId, expiresAtMs }: Token,
  graceMs: number,
  nowMs: number,
): Pick<Token, 'previousDigest' | 'previousPepperKeyId' | 'previousExpiresAtMs'> {
  if (graceMs === 0) return { previousDigest: null, previousPepperKeyId: null, previousExpiresAtMs: null };
  const endsAtMs = Math.min(nowMs + graceMs, Number(expiresAtMs));
  return { previousDigest: digest, previousPepperKeyId: pepperKeyId, previousExpiresAtMs: String(endsAtMs) };
}
