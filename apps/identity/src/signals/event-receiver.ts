import { NoSecurityEvents, securityEventsOf } from './security-event.js';
import type { TransmitterConfig } from './signals-config.js';
import type { SignalsStore, Speaker } from './signals.store.js';
import { MessageRefused, type MessageTerms, takenUntilMs, verifiedMessage } from './signed-message.js';

export interface EventReceiverParts {
  readonly terms: MessageTerms;
  readonly store: SignalsStore;
  readonly speaker: (address: string) => Speaker;
  /** Tokens by what became of them: `taken`, `known`, `refused`. */
  readonly counted: (became: string) => void;
  readonly wallMs: () => number;
}

/** Takes security event tokens of one transmitter, whichever way they come. */
export class EventReceiver {
  constructor(
    readonly config: TransmitterConfig,
    private readonly parts: EventReceiverParts,
  ) {}

  /**
   * Takes one token: it returns once what it says is committed, or was before. Somebody who is not known here, and an
   * event that means nothing here, are taken like any other: the transmitter learns nothing of who is.
   * @param tokenId - what the token's id has to be, where it was named beside it
   * @throws MessageRefused; KeysAway where nothing can be said now
   */
  async take(text: string, address: string, tokenId?: string): Promise<void> {
    const { terms, store, speaker, counted, wallMs } = this.parts;
    try {
      const nowMs = wallMs();
      const claims = await verifiedMessage(text, terms, nowMs);
      if (tokenId !== undefined && claims.jti !== tokenId)
        throw new MessageRefused('invalid_request', 'jti: another than the one it stands under');
      const events = securityEventsOf(claims, nowMs);
      const message = { tokenId: claims.jti, takenUntilMs: takenUntilMs(terms, claims) };
      const isFirst = await store.takeEvents(message, events, speaker(address));
      counted(isFirst ? 'taken' : 'known');
    } catch (error) {
      counted('refused');
      if (error instanceof NoSecurityEvents) throw new MessageRefused('invalid_request', error.message);
      throw error;
    }
  }
}
