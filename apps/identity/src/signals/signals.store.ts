import { createHash } from 'node:crypto';
import type { AdminActor } from '@warder/postgres';
import type { EntityManager } from 'typeorm';
import type { IdentityStore } from '../identity.store.js';
import type { Principal } from '../principal.entity.js';
import type { AccessEndings, Did } from './access-endings.store.js';
import type { SecurityEvent } from './security-event.js';
import type { SubjectId } from './subject.js';
import { principalNamed, type SubjectRealm } from './subjects.store.js';

/** Whose word it is. */
export interface Speaker {
  readonly id: string;
  readonly realm: SubjectRealm;
  /** How the record names it. */
  readonly by: AdminActor;
}

/** A verified message: its own id, and for how long the like of it could be taken. */
export interface MessageOnce {
  readonly tokenId: string;
  /** Wall milliseconds. */
  readonly takenUntilMs: number;
}

/** What verified messages of other parties do here: each once, and with its record in the same transaction. */
export class SignalsStore {
  constructor(
    private readonly store: IdentityStore,
    private readonly endings: AccessEndings,
  ) {}

  /**
   * Takes the events of one token. What it was told before, and an older word than the last one on the same person,
   * changes nothing: so nobody comes back by a message that is late or sent again.
   * @returns false for a message that was taken before
   */
  takeEvents(message: MessageOnce, events: readonly SecurityEvent[], from: Speaker): Promise<boolean> {
    return this.store.change(async (manager) => {
      if (!(await this.isFirst(manager, `signal/${from.id}`, message))) return false;
      for (const event of events) await this.takeEvent(manager, message, event, from);
      return true;
    });
  }

  /**
   * Ends all that the subject signed in to; with `holdsUntil`, personal tokens too, until the provider with this id has
   * seen them sign in again.
   */
  globalRevocation(
    message: MessageOnce,
    subjects: readonly SubjectId[],
    from: Speaker,
    holdsUntil: string | undefined,
  ): Promise<'done' | 'replayed' | 'unknown'> {
    return this.store.change(async (manager) => {
      if (!(await this.isFirst(manager, `logout/${from.id}`, message))) return 'replayed';
      const principal = await principalNamed(manager, subjects, from.realm);
      if (principal === undefined) return 'unknown';
      const why = { why: 'universal logout', sender: from.id, tokenId: message.tokenId };
      if (holdsUntil === undefined) await this.endings.signOut(manager, principal, from.by, why);
      else await this.endings.suspend(manager, principal, `sign-in/${holdsUntil}`, from.by, why);
      return 'done';
    });
  }

  private async takeEvent(
    manager: EntityManager,
    { tokenId }: MessageOnce,
    event: SecurityEvent,
    from: Speaker,
  ): Promise<void> {
    const why = { why: event.type, sender: from.id, tokenId };
    const principal = event.effect === 'note' ? undefined : await principalNamed(manager, event.subjects, from.realm);
    const did = principal === undefined ? 'nothing' : await this.end(manager, principal, event, from, why);
    if (did !== 'nothing') return;
    const told = event.effect === 'note' ? {} : { subject: principal?.id ?? null };
    await this.store.record(manager, 'signal.take', from.by, { ...why, ...told, at: event.atMs });
  }

  private async end(
    manager: EntityManager,
    principal: Principal,
    { effect, atMs }: SecurityEvent,
    { id, by }: Speaker,
    why: object,
  ): Promise<Did> {
    const holder = `signals/${id}` as const;
    if (effect === 'sign-out') return this.endings.signOut(manager, principal, by, why);
    if (!(await this.isNewest(manager, principal.id, holder, atMs, effect))) return 'nothing';
    if (effect === 'suspend') return this.endings.suspend(manager, principal, holder, by, why);
    if (effect === 'remove') return this.endings.remove(manager, principal, holder, by, why);
    return this.endings.restore(manager, principal, holder, by, why);
  }

  /** Of two words of the same moment the one that keeps out counts. */
  private async isNewest(
    manager: EntityManager,
    principalId: string,
    holder: string,
    atMs: number,
    effect: SecurityEvent['effect'],
  ): Promise<boolean> {
    const rows: unknown[] = await manager.query(
      `INSERT INTO signal_word AS known (principal_id, holder, at_ms) VALUES ($1, $2, $3)
       ON CONFLICT (principal_id, holder) DO UPDATE SET at_ms = excluded.at_ms
         WHERE known.at_ms < excluded.at_ms OR (known.at_ms = excluded.at_ms AND $4)
       RETURNING at_ms`,
      [principalId, holder, atMs, effect !== 'restore'],
    );
    return rows.length > 0;
  }

  private async isFirst(manager: EntityManager, from: string, message: MessageOnce): Promise<boolean> {
    const { tokenId, takenUntilMs } = message;
    const id = `${from}/${createHash('sha256').update(tokenId).digest('base64url')}`;
    const rows: unknown[] = await manager.query(
      `INSERT INTO oauth_item (model, id, payload, expires_at) VALUES ('Message', $1, '{}', to_timestamp($2::numeric / 1000))
       ON CONFLICT DO NOTHING RETURNING id`,
      [id, takenUntilMs],
    );
    return rows.length > 0;
  }
}
