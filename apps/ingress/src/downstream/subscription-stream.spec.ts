import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { SubscriptionStream } from './subscription-stream.js';

const DIGEST = 'a'.repeat(22);
/** A response over a connection whose client takes nothing, ever. */
function unread(): ServerResponse {
  const response = new ServerResponse(new IncomingMessage(new Socket()));
  response.assignSocket(new Duplex({ read() {}, write() {} }) as never);
  return response;
}
const legacy = { era: 'legacy' as const, streamId: 's', lastEventId: undefined, isPrimed: true, endsAtMs: Infinity };

describe('a client that does not read its stream', () => {
  it('is ended at the second sign of life that it does not take', () => {
    const onTooSlow = vi.fn<() => void>();
    const stream = new SubscriptionStream(unread(), legacy, onTooSlow);
    stream.open(DIGEST);
    stream.keepAlive();
    expect(onTooSlow).not.toHaveBeenCalled();
    stream.keepAlive();
    expect(onTooSlow).toHaveBeenCalledOnce();
  });

  it('is ended and not buffered when changes come faster than it reads', () => {
    const onTooSlow = vi.fn<() => void>();
    const response = unread();
    const stream = new SubscriptionStream(response, legacy, onTooSlow);
    stream.open(DIGEST);
    for (let round = 0; onTooSlow.mock.calls.length === 0; round += 1) stream.changed(DIGEST);
    expect(response.writableLength).toBeLessThan(17_000);
  });
});
