import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** Numbers of the protocol's requests that a test may want to hit. */
export const KafkaRequest = { produce: 0, fetch: 1 } as const;

/** What becomes of an answer of the broker: it goes on, it never comes, or the connection ends in its place. */
export type AnswerFate = 'forward' | 'hold' | 'break';

/** A proxy in front of one broker that reads which request an answer belongs to. */
export interface KafkaProxy {
  readonly port: number;
  /** Where connections go from now on. */
  target(port: number): void;
  /** Asked for each answer. */
  judge(fateOf: (request: number) => AnswerFate): void;
  stop(): Promise<void>;
}

const LENGTH_BYTES = 4;

/** Starts a proxy on a free loopback port; a broker with that `advertisedPort` is then reached through it alone. */
export async function startKafkaProxy(): Promise<KafkaProxy> {
  let targetPort = 0;
  let fateOf: (request: number) => AnswerFate = () => 'forward';
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const broker = connect(targetPort, '127.0.0.1');
    const requests = new Map<number, number>();
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    // Request: length, i16 what it asks, i16 version, i32 number. Answer: length, i32 number.
    eachMessage(client, (message) => {
      requests.set(message.readInt32BE(LENGTH_BYTES + 4), message.readInt16BE(LENGTH_BYTES));
      broker.write(message);
    });
    eachMessage(broker, (message) => {
      const fate = fateOf(requests.get(message.readInt32BE(LENGTH_BYTES)) ?? -1);
      if (fate === 'forward') client.write(message);
      if (fate === 'break') client.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    port,
    target: (to) => (targetPort = to),
    judge: (judge) => (fateOf = judge),
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}

function eachMessage(socket: Socket, take: (message: Buffer) => void): void {
  let pending: Buffer = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    pending = Buffer.concat([pending, bytes]);
    while (pending.length >= LENGTH_BYTES) {
      const end = LENGTH_BYTES + pending.readInt32BE(0);
      if (pending.length < end) return;
      take(pending.subarray(0, end));
      pending = pending.subarray(end);
    }
  });
}
