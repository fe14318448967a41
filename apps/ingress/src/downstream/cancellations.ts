import { createHash } from 'node:crypto';
import type { Bus } from '@warder/bus';
import { callCancelledTopic } from '@warder/contracts';
import { type ClientMessage, LosslessNumber } from '@warder/mcp-wire';
import type { Logger } from '@warder/telemetry';
import type { RunningOperations } from './running-operations.js';

/** What names a legacy call: its session and its id, as JSON text. */
export function cancelKeyOf(sessionToken: string, idJson: string): string {
  return `${sessionToken}\n${idJson}`;
}

/** Legacy `notifications/cancelled`: ends the call here, or tells every node when it runs on another. */
export class Cancellations {
  constructor(
    private readonly running: RunningOperations,
    private readonly bus: Bus,
    private readonly clock: { wallMs(): number },
    private readonly log: Logger,
  ) {}

  /** Listens for cancellations that landed on other nodes. */
  async start(): Promise<void> {
    await this.bus.watch(callCancelledTopic, 'end', ({ value }) => {
      if (value.node === this.bus.node) return;
      this.running.cancel(value.principalId, (cancelKey) => hashOf(cancelKey) === value.callKey);
    });
  }

  /** @param principalId - of the one who cancels: nobody ends another's call */
  cancel(message: ClientMessage, principalId: string): void {
    const idJson = idTextOf(message.params['requestId']);
    if (message.sessionToken === undefined || idJson === undefined) return;
    const cancelKey = cancelKeyOf(message.sessionToken, idJson);
    if (this.running.cancel(principalId, (each) => each === cancelKey)) return;
    const callKey = hashOf(cancelKey);
    const told = { callKey, principalId, node: this.bus.node, atMs: this.clock.wallMs() };
    // A cancellation is a courtesy: nobody waits for it, and one that is lost lets a call run to its end.
    this.bus
      .publish(callCancelledTopic, callKey, told)
      .catch((error: unknown) => this.log.warn({ err: error }, 'a cancellation could not be broadcast'));
  }
}

function hashOf(cancelKey: string): string {
  return createHash('sha256').update(cancelKey).digest('base64url');
}

function idTextOf(id: unknown): string | undefined {
  if (typeof id === 'string' || typeof id === 'number') return JSON.stringify(id);
  return id instanceof LosslessNumber ? id.text : undefined;
}
