import type { IncomingMessage } from 'node:http';

const LINGER_MS = 1_000;
const LINGER_BYTES_MAX = 1_048_576;
const LOOK_EVERY_MS = 50;

/**
 * Lets the connection of an answer that says `connection: close` end in two steps: ours first, theirs a second or a
 * megabyte later. Closed at once under a body that is still being sent, it is reset, and the reset overtakes the
 * answer: its sender would never read why.
 * @see RFC 9112 section 9.6
 */
export function lingerBeforeClose(request: IncomingMessage): void {
  const { socket } = request;
  // node:http ends such a connection by this method, once the answer is written.
  socket.destroySoon = () => {
    const bytesMax = socket.bytesRead + LINGER_BYTES_MAX;
    const stopAtMs = performance.now() + LINGER_MS;
    socket.end();
    const timer = setInterval(() => {
      if (socket.bytesRead > bytesMax || performance.now() > stopAtMs) socket.destroy();
    }, LOOK_EVERY_MS).unref();
    socket.once('close', () => clearInterval(timer));
    // What follows a body would be another request, and this connection takes none.
    request.once('end', () => socket.destroy());
  };
}
