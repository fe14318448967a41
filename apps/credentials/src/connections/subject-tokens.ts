import { Connection } from './connection.entity.js';
import type { ConnectionStates } from './connection-states.store.js';
import type { ConnectionTokens } from './connection-tokens.js';
import type { Begun } from './refresh.store.js';

/** A person's own token at the provider whose tokens are exchanged. */
export interface SubjectToken {
  readonly token: string;
  readonly generation: number;
}

/** The tokens of people that are exchanged for others: of their own connection, refreshed first where it has ended. */
export class SubjectTokens {
  constructor(
    private readonly states: ConnectionStates,
    private readonly tokens: () => Pick<ConnectionTokens, 'tokenOf'>,
  ) {}

  /**
   * @returns undefined where the person's connection is not there, or its provider gives no new token now
   * @throws SecretError while the secret store cannot open it
   */
  async of({ connection, provider }: Pick<Begun, 'connection' | 'provider'>): Promise<SubjectToken | undefined> {
    if (provider.exchange === null || connection.principalId === null) return undefined;
    const subject = await this.states.source.manager.findOneBy(Connection, {
      provider: provider.exchange.from,
      kind: 'oauth_user',
      principalId: connection.principalId,
      status: 'active',
    });
    if (subject === null) return undefined;
    const held = await this.tokens().tokenOf(subject.id);
    const hasEnded = held?.row.expiresAtMs != null && Number(held.row.expiresAtMs) <= this.states.wallMs();
    return held === undefined || hasEnded ? undefined : { token: held.token, generation: held.row.generation };
  }
}
