import { isRevoked, type ProviderRequest, revocationRequests } from '@warder/provider-catalog';
import { storeErrorOf } from '@warder/postgres';
import type { EntityManager } from 'typeorm';
import { ITSELF } from './connection-row.js';
import type { ConnectionStates } from './connection-states.store.js';
import { Provider } from './provider.entity.js';
import { type ProviderClient, ProviderSilent } from './provider-client.js';
import type { ProviderSetups } from './provider-setups.js';
import { backOffMs } from './refresh-schedule.js';
import type { SealedTokens } from './sealed-tokens.js';

/** Tries to end tokens at their provider before they are forgotten: about a day. */
const TRIES_MAX = 100;
/** For so long nobody else works on an ending. */
const HELD_MS = 60_000;

interface Ending {
  readonly id: string;
  readonly connection_id: string;
  readonly provider: string;
  readonly generation: number;
  readonly access_token: string | null;
  readonly refresh_token: string | null;
  readonly reason: string;
  readonly tries: number;
}

/** `revoked`: the provider says so; `not_offered`: it has no way; `refused`: it answered otherwise, `silent`: not at all. */
type Outcome = 'revoked' | 'not_offered' | 'refused' | 'silent';

export interface TokenEndingsParts {
  readonly states: ConnectionStates;
  readonly tokens: SealedTokens;
  readonly setups: ProviderSetups;
  readonly client: Pick<ProviderClient, 'send'>;
  readonly log: { warn(fields: object, message: string): void };
  readonly random: () => number;
}

/** Tokens that are nobody's any more: ended at their provider (RFC 7009 or its own way), then forgotten, on record. */
export class TokenEndings {
  private timer: NodeJS.Timeout | undefined;
  private working: Promise<void> | undefined;
  private isStopped = false;

  constructor(private readonly parts: TokenEndingsParts) {}

  start(everyMs: number): void {
    this.timer = setInterval(() => this.wake(), everyMs).unref();
    this.wake();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    await this.working;
  }

  /** There may be something to do. */
  wake(): void {
    if (this.isStopped || this.working !== undefined) return;
    this.working = this.work()
      .catch((error: unknown) => this.parts.log.warn({ err: storeErrorOf(error) }, 'tokens could not be ended yet'))
      .finally(() => {
        this.working = undefined;
      });
  }

  private async work(): Promise<void> {
    for (let next = await this.take(); next !== undefined && !this.isStopped; next = await this.take()) {
      await this.end(next);
    }
  }

  /** Takes the next one for a time: a process that dies in between leaves it to the others. */
  private async take(): Promise<Ending | undefined> {
    const { states } = this.parts;
    const nowMs = states.wallMs();
    const [rows] = (await states.source.query(
      `UPDATE token_ending SET due_at_ms = $1, tries = tries + 1 WHERE id = (
         SELECT id FROM token_ending WHERE due_at_ms <= $2 ORDER BY due_at_ms LIMIT 1 FOR UPDATE SKIP LOCKED
       ) RETURNING *`,
      [nowMs + HELD_MS, nowMs],
    )) as [Ending[], number];
    return rows[0];
  }

  private async end(ending: Ending): Promise<void> {
    const { states, random } = this.parts;
    const outcome = await this.ask(ending);
    const isOver = outcome === 'revoked' || outcome === 'not_offered' || ending.tries >= TRIES_MAX;
    await states.source.transaction(async (manager) => {
      if (!isOver) {
        const dueAtMs = states.wallMs() + backOffMs(ending.tries, random());
        await manager.query('UPDATE token_ending SET due_at_ms = $2 WHERE id = $1', [ending.id, dueAtMs]);
        // The first failure stands on record, and the end: what lies between says nothing new.
        if (ending.tries > 1) return;
      } else {
        await manager.query('DELETE FROM token_ending WHERE id = $1', [ending.id]);
      }
      await this.record(manager, ending, outcome, isOver);
    });
  }

  private record(manager: EntityManager, ending: Ending, outcome: Outcome, isForgotten: boolean): Promise<void> {
    const { connection_id: id, provider, generation, reason, tries } = ending;
    return this.parts.states.record(manager, {
      action: 'connection.end-tokens',
      by: ITSELF,
      arguments: { id, provider, generation, reason, tries, outcome, isForgotten },
    });
  }

  private async ask(ending: Ending): Promise<Outcome> {
    const { states, setups, client, tokens, log } = this.parts;
    const provider = await states.source.manager.findOneByOrFail(Provider, { id: ending.provider });
    // Whoever kept it here can end it there, and nobody else.
    if (provider.form !== null) return 'not_offered';
    const { connection_id: row, generation, access_token: access, refresh_token: refresh } = ending;
    try {
      const setup = await setups.of(provider);
      const held = {
        accessToken: access === null ? '' : await tokens.open(row, 'access_token', generation, access),
        ...(refresh === null ? {} : { refreshToken: await tokens.open(row, 'refresh_token', generation, refresh) }),
      };
      const requests: ProviderRequest[] = revocationRequests(setup, held);
      if (requests.length === 0) return 'not_offered';
      for (const request of requests) {
        if (!isRevoked(setup.entry, await client.send(request))) return 'refused';
      }
      return 'revoked';
    } catch (error) {
      if (!(error instanceof ProviderSilent))
        log.warn({ err: error, provider: provider.id }, 'tokens are not ended yet');
      return 'silent';
    }
  }
}
