import { Server } from 'node:net';

// Loaded with --import into the sample upstream, which is not ours: as it comes it listens on every address, without
// asking who calls, and it would outlive a gateway that was killed.
const { SAMPLE_UPSTREAM_HOST: host = '127.0.0.1', SAMPLE_UPSTREAM_FOLLOWS: follows } = process.env;
const listen: unknown = Reflect.get(Server.prototype, 'listen');

Server.prototype.listen = function (this: Server, ...words: unknown[]): Server {
  const [port, ...rest] = words;
  const callback = rest.find((word) => typeof word === 'function');
  const bound = [{ host, port: Number(port) }, ...(callback === undefined ? [] : [callback])];
  return Reflect.apply(listen as (...all: unknown[]) => unknown, this, bound) as Server;
} as Server['listen'];

if (follows === 'stdin') {
  // The other end of this pipe closes when its owner ends, however it ends.
  process.stdin.on('end', () => process.exit(0));
  process.stdin.on('error', () => process.exit(0));
  process.stdin.resume();
}
