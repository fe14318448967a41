import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, createConnection, type Socket } from 'node:net';
import { expect, it, vi } from 'vitest';
import { UnreadAnswers } from './unread-answers.js';

/** More than the kernel takes for a client that does not read. */
const ANSWER = Buffer.alloc(16_000_000, 'a');

it('gives up the answer that has waited longest, and holds on to what fits', async () => {
  const answers: ServerResponse[] = [];
  const unread = new UnreadAnswers(2.5 * ANSWER.length);
  const server = createServer((_, response) => {
    response.end(ANSWER);
    answers.push(response);
    unread.add(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets: Socket[] = [];
  for (let count = 1; count <= 4; count += 1) {
    const socket = createConnection((server.address() as AddressInfo).port, '127.0.0.1');
    socket.on('error', () => undefined).pause();
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    sockets.push(socket);
    await vi.waitFor(() => expect(answers).toHaveLength(count));
  }
  expect(answers.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false]);
  // What was read makes room: the next one costs nobody his answer.
  sockets[2]!.resume();
  await once(answers[2]!, 'close');
  const last = createConnection((server.address() as AddressInfo).port, '127.0.0.1').pause();
  last.on('error', () => undefined).write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await vi.waitFor(() => expect(answers).toHaveLength(5));
  expect([answers[3]!.destroyed, answers[4]!.destroyed]).toEqual([false, false]);
  for (const socket of [...sockets, last]) socket.destroy();
  server.closeAllConnections();
  server.close();
});
