import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningHost } from './start-host.js';
import { startServiceForTest } from './start-service-for-test.js';

/** What handlers saw, in their order. */
const seen: string[] = [];
let running: RunningHost;

beforeAll(async () => {
  const service = {
    name: 'sample',
    config: z.strictObject({}),
    module: (_: object, host: Parameters<Parameters<typeof startServiceForTest>[0]['module']>[1]) => {
      host.mountRaw('/raw', (request, response) => {
        seen.push(`${request.method} ${request.url}`);
        request.resume().on('end', () => response.end('ok'));
      });
      return { module: class SampleModule {} };
    },
  };
  running = await startServiceForTest(service, {});
});
afterAll(() => running.stop());

/** Statuses that the bytes are answered with, until the connection ends. */
async function statusesOf(bytes: string): Promise<number[]> {
  const socket = connect(Number(new URL(running.url).port), '127.0.0.1');
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write(bytes, 'latin1');
  socket.setTimeout(1_000, () => socket.end());
  await once(socket, 'close');
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}

const HIDDEN = 'GET /raw/hidden HTTP/1.1\r\nHost: localhost\r\n\r\n';
const post = (...lines: string[]) => ['POST /raw/front HTTP/1.1', 'Host: localhost', ...lines, '', ''].join('\r\n');

it.each([
  [
    'a length and chunks',
    post(`Content-Length: ${HIDDEN.length + 5}`, 'Transfer-Encoding: chunked') + `0\r\n\r\n${HIDDEN}`,
  ],
  ['chunks and a length', post('Transfer-Encoding: chunked', 'Content-Length: 4') + `0\r\n\r\n${HIDDEN}`],
  ['two lengths', post('Content-Length: 0', `Content-Length: ${HIDDEN.length}`) + HIDDEN],
  ['two lengths in one line', post(`Content-Length: 0, ${HIDDEN.length}`) + HIDDEN],
  ['a signed length', post('Content-Length: +0') + HIDDEN],
  ['a length in hex', post('Content-Length: 0x0') + HIDDEN],
  ['chunks that are not the last coding', post('Transfer-Encoding: chunked, identity') + `0\r\n\r\n${HIDDEN}`],
  ['a coding that hides its name', post('Transfer-Encoding: xchunked') + `0\r\n\r\n${HIDDEN}`],
  ['a space before the colon', post('Content-Length : 0') + HIDDEN],
  ['a folded line', post('X-Folded: a', ' b', 'Content-Length: 0') + HIDDEN],
  ['a NUL in a value', post('X-Nul: a\0b', 'Content-Length: 0') + HIDDEN],
  ['a bare CR in a value', post('X-Cr: a\rContent-Length: 0', 'X: y') + HIDDEN],
  ['a chunk length that overflows', post('Transfer-Encoding: chunked') + `FFFFFFFFFFFFFFFFF\r\n${HIDDEN}`],
  ['a chunk length with a sign', post('Transfer-Encoding: chunked') + `-1\r\n${HIDDEN}`],
])('a request that hides another behind %s is the last of its connection', async (_how, bytes) => {
  seen.length = 0;
  const statuses = await statusesOf(bytes);
  expect(statuses.at(-1)).toBe(400);
  expect(seen.filter((line) => line.includes('hidden'))).toEqual([]);
});

it('lets two honest requests follow each other on one connection', async () => {
  seen.length = 0;
  expect(await statusesOf(post('Content-Length: 2') + 'ab' + HIDDEN)).toEqual([200, 200]);
  expect(seen).toEqual(['POST /raw/front', 'GET /raw/hidden']);
});
