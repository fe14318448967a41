import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type KafkaBroker, startKafkaBroker } from './kafka-broker.js';
import { SHARED_KAFKA_URL } from './kafka-shared.js';

/**
 * Vitest's global set-up: one broker for the whole run, started when the first spec asks for it, because most runs
 * need none. Workers ask over loopback HTTP.
 * @returns the tear-down
 */
export default async function setup(): Promise<() => Promise<void>> {
  let broker: Promise<KafkaBroker> | undefined;
  const server = createServer((_request, response) => {
    broker ??= startKafkaBroker();
    broker.then(
      ({ brokers }) => response.end(JSON.stringify({ brokers })),
      (error: Error) => response.writeHead(503).end(JSON.stringify({ error: error.message })),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  process.env[SHARED_KAFKA_URL] = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return async () => {
    server.close();
    server.closeAllConnections();
    await (await broker?.catch(() => undefined))?.stop();
  };
}
