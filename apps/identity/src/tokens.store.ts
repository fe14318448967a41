import { randomBytes } from 'node:crypto';
import type { IdentityPage, IssueOwnToken, Pepper, TokenState } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { AdminError } from '@warder/service-host';
import { digestOf, issueToken } from '@warder/tokens';
import { type EntityManager, MoreThan } from 'typeorm';
import { boundAsItsIssuer } from './bound-as-issuer.js';
import type { EndsAccess } from './ends-access.store.js';
import type { IdentityConfig } from './identity-config.js';
import type { IdentityStore } from './identity.store.js';
import { nextVersion } from './next-version.js';
import { findPrincipal } from './offboarding.store.js';
import { NEVER_ROTATED, Token, tokenStateOf } from './token.entity.js';

const DAY_MS = 86_400_000;
const PREFIX_CHARS = 8;

/** A token as it is told of; its text is told once, by the answer that issued it. */
export type TokenView = Omit<TokenState, 'pepperKeyId' | 'status' | 'generation'> & {
  readonly status: 'active' | 'revoked' | 'expired';
  /** With which its current secret begins; null where that was not kept. */
  readonly prefix: string | null;
  readonly rotatedAtMs: number | null;
  /** Until when the secret before this one works; null where none does. */
  readonly previousExpiresAtMs: number | null;
  /** To the minute; null where no node told of any use. */
  readonly lastUsedAtMs: number | null;
};
export type IssuedToken = TokenView & { token: string };

/** A token that is about to be kept. */
export interface NewToken {
  readonly text: string;
  readonly principalId: string;
  readonly body: IssueOwnToken;
}

/** Personal access tokens: issued, listed, revoked. */
export class TokensStore implements EndsAccess {
  readonly what = 'tokens';

  constructor(
    private readonly store: IdentityStore,
    private readonly pepper: Pepper,
    private readonly bounds: IdentityConfig['tokens'],
  ) {}

  /** A page of all tokens, or of one principal's, in the order of creation; `next` is null on the last one. */
  async list(page: IdentityPage, principalId?: string): Promise<{ tokens: TokenView[]; next: string | null }> {
    const { after, limit } = page;
    const rows = await this.store.source.manager.find(Token, {
      where: {
        ...(after === undefined ? {} : { id: MoreThan(after) }),
        ...(principalId === undefined ? {} : { principalId }),
      },
      order: { id: 'ASC' },
      take: limit + 1,
    });
    const tokens = rows.slice(0, limit).map((row) => this.viewOf(row));
    return { tokens, next: rows.length > limit ? tokens.at(-1)!.id : null };
  }

  /** Tokens of the principal that work now, the newest first, and this many at most. */
  async active(principalId: string, limit: number): Promise<TokenView[]> {
    const rows = await this.store.source.manager.find(Token, {
      where: { principalId, status: 'active', expiresAtMs: MoreThan(String(this.store.wallMs())) },
      order: { id: 'DESC' },
      take: limit,
    });
    return rows.map((row) => this.viewOf(row));
  }

  /**
   * One token of the principal.
   * @throws AdminError 404 WDR_TOKEN_NOT_FOUND
   */
  async find(id: string, ownerId: string): Promise<TokenView> {
    return this.viewOf(await findToken(this.store.source.manager, id, ownerId));
  }

  /**
   * Issues a token for the principal. The answer is the one place where its text ever stands.
   * @throws AdminError 400 WDR_TOKEN_LIFETIME; 403 WDR_TOKEN_SCOPE; 404 WDR_PRINCIPAL_UNKNOWN; 409
   * WDR_PRINCIPAL_INACTIVE or WDR_TOKEN_LIMIT
   */
  async issue(principalId: string, body: IssueOwnToken, by: AdminActor): Promise<IssuedToken> {
    const text = issueToken(randomBytes);
    const view = await this.store.change((manager) => this.keep(manager, { text, principalId, body }, by));
    return { ...view, token: text };
  }

  /** As `issue`, within a change that is under way and with a text that is there already. */
  async keep(manager: EntityManager, { text, principalId, body }: NewToken, by: AdminActor): Promise<TokenView> {
    const nowMs = this.store.wallMs();
    const lifetimeMs = this.lifetimeMs(body.expiresInDays ?? this.bounds.defaultDays);
    await this.ensureOwnerIsActive(manager, principalId);
    const expiresAtMs = MoreThan(String(nowMs));
    const held = await manager.countBy(Token, { principalId, status: 'active', expiresAtMs });
    if (held >= this.bounds.perPrincipalMax)
      throw new AdminError(409, 'WDR_TOKEN_LIMIT', `a principal has ${this.bounds.perPrincipalMax} tokens at most`);
    const row: Token = {
      id: this.store.newId('pat'),
      digest: digestOf(text, this.pepper.keys[this.pepper.current]!),
      prefix: prefixOf(text),
      version: 1,
      status: 'active',
      name: body.name,
      principalId,
      pepperKeyId: this.pepper.current,
      createdAtMs: String(nowMs),
      expiresAtMs: String(nowMs + lifetimeMs),
      scopes: boundAsItsIssuer(body.scopes, principalId, by),
      ...NEVER_ROTATED,
    };
    await this.store.saveTokens(manager, [row]);
    const view = this.viewOf(row);
    const { id, name, scopes } = view;
    await this.store.record(manager, 'token.issue', by, {
      id,
      name,
      principalId,
      expiresAtMs: view.expiresAtMs,
      scopes,
    });
    return view;
  }

  /**
   * Revokes a token, by every secret that it has; again it changes nothing.
   * @param ownerId - only this principal's tokens are found, where given
   * @throws AdminError 404 WDR_TOKEN_NOT_FOUND
   */
  async revoke(id: string, by: AdminActor, ownerId?: string): Promise<TokenView> {
    return this.store.change(async (manager) => {
      const before = await findToken(manager, id, ownerId);
      if (before.status === 'revoked') return this.viewOf(before);
      const row = nextVersion(before, { status: 'revoked' });
      await this.store.saveTokens(manager, [row]);
      await this.store.record(manager, 'token.revoke', by, { id, principalId: row.principalId });
      return this.viewOf(row);
    });
  }

  async end(manager: EntityManager, principalId: string): Promise<string[]> {
    const tokens = await manager.findBy(Token, { principalId, status: 'active' });
    await this.store.saveTokens(
      manager,
      tokens.map((token) => nextVersion(token, { status: 'revoked' })),
    );
    return tokens.map(({ id }) => id);
  }

  /**
   * @param days - that are asked for
   * @throws AdminError 400 WDR_TOKEN_LIFETIME
   */
  lifetimeMs(days: number): number {
    const { maxDays } = this.bounds;
    if (days > maxDays) throw new AdminError(400, 'WDR_TOKEN_LIFETIME', `a token lives ${maxDays} days at most`);
    return days * DAY_MS;
  }

  /** @throws AdminError 404 WDR_PRINCIPAL_UNKNOWN; 409 WDR_PRINCIPAL_INACTIVE */
  async ensureOwnerIsActive(manager: EntityManager, principalId: string): Promise<void> {
    const { status } = await findPrincipal(manager, principalId);
    if (status !== 'active') throw new AdminError(409, 'WDR_PRINCIPAL_INACTIVE', `${principalId} is ${status}`);
  }

  viewOf(row: Token): TokenView {
    const nowMs = this.store.wallMs();
    const { pepperKeyId: _, generation: __, status, ...told } = tokenStateOf(row);
    const isActive = status === 'active' && told.expiresAtMs > nowMs;
    const previousEndsAtMs = isActive ? numberOf(row.previousExpiresAtMs) : null;
    return {
      ...told,
      status: status === 'active' && !isActive ? 'expired' : status,
      prefix: row.prefix,
      rotatedAtMs: numberOf(row.rotatedAtMs),
      previousExpiresAtMs: previousEndsAtMs !== null && previousEndsAtMs > nowMs ? previousEndsAtMs : null,
      lastUsedAtMs: numberOf(row.lastUsedAtMs),
    };
  }
}

/** Eight characters, of which the random ones give away 24 bits of 256. */
export function prefixOf(text: string): string {
  return text.slice(0, PREFIX_CHARS);
}

/**
 * @param ownerId - only this principal's tokens are found, where given
 * @throws AdminError 404 WDR_TOKEN_NOT_FOUND
 */
export async function findToken(manager: EntityManager, id: string, ownerId?: string): Promise<Token> {
  const row = await manager.findOneBy(Token, { id, ...(ownerId === undefined ? {} : { principalId: ownerId }) });
  if (!row) throw new AdminError(404, 'WDR_TOKEN_NOT_FOUND', 'no token has this id');
  return row;
}

function numberOf(bigint: string | null): number | null {
  return bigint === null ? null : Number(bigint);
}
