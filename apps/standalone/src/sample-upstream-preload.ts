import { Server } from 'node:net';

// Loaded with --import into the sample upstream, which is not ours: as it comes it listens on every address, without
// asking who calls, and it would outlive a gateway that was killed.
const listen = Server.prototype.listen;

Server.prototype.listen = function (this: Server, ...words: unknown[]): Server {
  const [port, ...rest] = words;
  const callback = rest.find((word) => typeof word === 'function');
  const bound = [{ host: '127.0.0.1', port: Number(port) }, ...(callback === undefined ? [] : [callback])];
  return Reflect.apply(listen, this, bound) as Server;
} as typeof listen;

// Our end of this pipe closes when we end, however we end.
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
process.stdin.resume();
