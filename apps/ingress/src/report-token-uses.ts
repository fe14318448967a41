import { tokenUsedTopic } from '@warder/contracts';
import type { Host } from '@warder/service-host';
import { isClientGrant, TokenUses } from '@warder/tokens';
import type { Call } from './pipeline/call.js';

const TELL_EVERY_MS = 10_000;

/**
 * Tells identity now and then which tokens are used here.
 * @returns what is told of each operation after its answer has left
 */
export function reportTokenUses(host: Host): (call: Call) => void {
  const { bus, clock, log, metrics, node } = host;
  const uses = new TokenUses(node, (used) => bus.publish(tokenUsedTopic, node, used));
  const lost = metrics.gauge('warder_token_uses_lost', 'Uses of tokens that were not taken down for want of room');
  // Nobody waits for it: until the bus takes them they are gathered, and the last one of each token is what counts.
  const tell = () =>
    uses.tell(clock.wallMs()).catch((error: unknown) => log.debug({ err: error }, 'uses of tokens wait for the bus'));
  const timer = setInterval(() => {
    lost.set(uses.lost);
    void tell();
  }, TELL_EVERY_MS).unref();
  host.onDrain('token uses', async () => {
    clearInterval(timer);
    // As in the other doors: a stop does not wait for a sample.
    void tell();
  });
  return ({ token, receivedAtMs }) => {
    if (token !== undefined && !isClientGrant(token)) uses.note(token.id, receivedAtMs);
  };
}
