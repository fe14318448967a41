import { ITSELF } from './connection-row.js';
import type { ConnectionStates } from './connection-states.store.js';

/** Connections of people who are suspended: they stay as they are, and nothing is refreshed. */
export class RestingStore {
  constructor(private readonly states: ConnectionStates) {}

  /**
   * Has the connections of those people rest, and those of everybody else go on: what came due meanwhile is refreshed with
   * the next look. Who is told anew is on record.
   */
  async rest(suspended: readonly string[]): Promise<void> {
    await this.states.source.transaction(async (manager) => {
      const [rows]: [{ principal_id: string; is_resting: boolean }[], number] = await manager.query(
        `UPDATE connection SET is_resting = NOT is_resting
         WHERE principal_id IS NOT NULL AND is_resting <> (principal_id = ANY($1)) RETURNING principal_id, is_resting`,
        [suspended],
      );
      const changed = new Map(rows.map((row) => [row.principal_id, row.is_resting]));
      for (const [principalId, isResting] of changed) {
        const connections = rows.filter((row) => row.principal_id === principalId).length;
        const action = isResting ? 'connection.rest' : 'connection.resume';
        await this.states.record(manager, { action, by: ITSELF, arguments: { principalId, connections } });
      }
    });
  }
}
