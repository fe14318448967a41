import type { AdminActor } from '@warder/postgres';
import type { EntityManager } from 'typeorm';

/** Of which service's module the list of these is asked: everything that ends with its principal. */
export const ENDS_ACCESS = Symbol('what ends with a principal');

/** Something that principals have of their own, by which they could still get in: it ends with them. */
export interface EndsAccess {
  /** The word for it in the answer and in the record, such as `tokens`. */
  readonly what: string;
  /**
   * Ends all of it in the transaction that is under way, with its messages in the outbox and no record of its own.
   * Again it ends nothing.
   * @returns ids of what was ended
   */
  end(manager: EntityManager, principalId: string, by: AdminActor): Promise<readonly string[]>;
}

/** What was ended, by its word. */
export type Ended = Readonly<Record<string, readonly string[]>>;
