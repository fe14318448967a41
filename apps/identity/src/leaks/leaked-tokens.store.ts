import type { Pepper } from '@warder/contracts';
import type { AdminActor } from '@warder/postgres';
import { digestOf, isWellFormed, SECRET_PREFIX } from '@warder/tokens';
import { Any, type EntityManager } from 'typeorm';
import type { ServiceCredentialsStore } from '../agents/service-credentials.store.js';
import type { IdentityStore } from '../identity.store.js';
import { nextVersion } from '../next-version.js';
import { previousStateOf, Token } from '../token.entity.js';

/**
 * What a report is answered: how many texts it had, and how many of them have the form of a token or of
 * a service account's secret. Both its sender can
 * count without us, so that the answer to a text says nothing of whether it ever let anybody in.
 */
export interface LeakReport {
  readonly received: number;
  readonly wellFormed: number;
}

/** The end of tokens and secrets that somebody found where they should not be. */
export class LeakedTokens {
  constructor(
    private readonly store: IdentityStore,
    private readonly credentials: ServiceCredentialsStore,
    private readonly pepper: Pepper,
  ) {}

  /**
   * Ends each token and each credential of a service account that one of the texts is a secret of; the old secret of a
   * rotated token ends alone.
   */
  async end(texts: readonly string[], by: AdminActor): Promise<LeakReport> {
    const wellFormed = texts.filter((text) => isWellFormed(text) || isWellFormed(text, SECRET_PREFIX));
    const peppers = Object.values(this.pepper.keys);
    const digests = new Set(wellFormed.flatMap((text) => peppers.map((pepper) => digestOf(text, pepper))));
    await this.store.change(async (manager) => {
      const found = await manager.find(Token, {
        // One parameter each, however many texts and peppers there are.
        where: [{ digest: Any([...digests]) }, { previousDigest: Any([...digests]) }],
        order: { id: 'ASC' },
      });
      for (const token of found) {
        if (token.status === 'active') await this.endOne(manager, token, digests.has(token.digest), by);
      }
      await this.credentials.endLeaked(manager, [...digests], by);
    });
    return { received: texts.length, wellFormed: wellFormed.length };
  }

  private async endOne(manager: EntityManager, token: Token, isWhole: boolean, by: AdminActor): Promise<void> {
    const { id, principalId, generation } = token;
    const previous = previousStateOf(token);
    if (isWhole || previous === undefined) {
      await this.store.saveTokens(manager, [nextVersion(token, { status: 'revoked' })]);
    } else {
      // Whoever rotated a token that leaked has its new secret out of the finder's reach already.
      const row = nextVersion(token, { previousDigest: null, previousPepperKeyId: null, previousExpiresAtMs: null });
      await this.store.saveTokens(manager, [row]);
      await this.store.endSecret(manager, previous.key, { ...previous.message, version: row.version });
    }
    const ended = isWhole ? {} : { generation: generation - 1 };
    await this.store.record(manager, 'token.revoke', by, { id, principalId, ...ended, reason: 'leaked' });
  }
}
