import { hash } from 'node:crypto';
import { withStore } from '@warder/postgres';
import type { EntityManager } from 'typeorm';
import type { IdentityStore } from '../identity.store.js';
import type { Principal } from '../principal.entity.js';

/** What came of an interaction, as the authorization server reads it when the browser goes on. */
export interface InteractionResult {
  readonly login?: { readonly accountId: string; readonly remember: true; readonly ts?: number };
  readonly consent?: { readonly grantId: string };
  /** The way in which the person has just signed in; null where the browser's session said who it is. */
  readonly provider: string | null;
}

/** What the library adds to a result that goes on. */
interface ProvedResult extends InteractionResult {
  /** Names the row of the interaction in which the person proved themselves; lets nobody in. */
  readonly proof?: string;
}

/**
 * What stands between a client's question and its answer. From when somebody proved in it who they are it is theirs, and
 * ends with all else that they signed in to: a proof that was made before an end gives nobody a session after it.
 */
export class InteractionsStore {
  constructor(private readonly store: IdentityStore) {}

  /**
   * Keeps what came of the interaction and makes it the principal's, unless that has ended in the meantime.
   * @param by - as they were when they proved who they are
   * @param stands - whether what they proved it by is still the same; holds it until the end of the transaction
   * @returns whether it was kept
   */
  keep(
    uid: string,
    result: InteractionResult,
    by: Pick<Principal, 'id' | 'signedOutAtMs'>,
    stands: (manager: EntityManager) => Promise<boolean>,
  ): Promise<boolean> {
    const id = bearerKey(uid);
    const kept: ProvedResult = result.login === undefined ? result : { ...result, proof: id };
    const work = async (manager: EntityManager): Promise<boolean> => {
      // In the order in which an end takes them, each waits for the other and neither for both.
      if (!(await stands(manager)) || !(await isLetIn(manager, by))) return false;
      const [rows]: [unknown[], number] = await manager.query(
        // Whoever was signed in in this browser before, and is somebody else, is not gone on with.
        `UPDATE oauth_item SET account_id = $3, payload = CASE WHEN payload #>> '{session,accountId}' <> $3
           THEN payload - 'session' ELSE payload END || jsonb_build_object('result', $2::jsonb)
         WHERE model = 'Interaction' AND id = $1 AND consumed_at IS NULL AND expires_at > to_timestamp($4::numeric / 1000)
         RETURNING id`,
        [id, JSON.stringify(kept), by.id, this.store.wallMs()],
      );
      return rows.length > 0;
    };
    return withStore(() => this.store.source.transaction(work));
  }
}

/** Under what stands in the database whose id lets its bearer in. */
export function bearerKey(id: string): string {
  return hash('sha256', id, 'base64url');
}

/** The row of the interaction that a result came of, where somebody signed in by it. */
export function proofOf(result: object | undefined): string | undefined {
  const { login, proof } = (result ?? {}) as Partial<ProvedResult>;
  return login === undefined ? undefined : proof;
}

/** Ends what the principal has proved and not gone on with, in the change that is under way. */
export async function endInteractions(manager: EntityManager, principalId: string): Promise<void> {
  await manager.query(`DELETE FROM oauth_item WHERE model = 'Interaction' AND account_id = $1`, [principalId]);
}

async function isLetIn(
  manager: EntityManager,
  { id, signedOutAtMs = null }: Pick<Principal, 'id' | 'signedOutAtMs'>,
): Promise<boolean> {
  const found: unknown[] = await manager.query(
    `SELECT 1 FROM principal WHERE id = $1 AND status = 'active' AND signed_out_at_ms IS NOT DISTINCT FROM $2 FOR SHARE`,
    [id, signedOutAtMs],
  );
  return found.length > 0;
}
