import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guardedFetch } from './guarded-fetch.js';

let server: Server;
let origin: string;
const seen: { method: string | undefined; body: string; header: string | undefined }[] = [];

beforeEach(async () => {
  seen.length = 0;
  server = createServer((request, response) => {
    void (async () => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      seen.push({ method: request.method, body, header: request.headers['x-probe'] as string | undefined });
      if (request.url === '/moved') response.writeHead(302, { location: `${origin}/elsewhere` }).end();
      else response.writeHead(request.method === 'DELETE' ? 204 : 200).end();
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const bounds = { timeoutMs: 5_000, bytesMax: 1_024 };
const fetch = guardedFetch({ ...bounds, isNamed: () => true });

describe('a guarded fetch', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])('sends %s as what it is', async (method) => {
    await fetch(`${origin}/`, { method });
    expect(seen.map((request) => request.method)).toEqual([method]);
  });

  it('sends a DELETE with its body, and reads an answer without one', async () => {
    const body = JSON.stringify({ access_token: 'ghu_1' });
    const answer = await fetch(`${origin}/`, { method: 'delete', body, headers: { 'x-probe': 'kept' } });
    expect(answer.status).toBe(204);
    expect(seen).toEqual([{ method: 'DELETE', body: '{"access_token":"ghu_1"}', header: 'kept' }]);
  });

  it.each(['TRACE', 'CONNECT', 'GET / HTTP/1.1\r\nx: y', ''])(
    'refuses %j, and sends nothing in its place',
    async (method) => {
      await expect(fetch(`${origin}/`, { method })).rejects.toThrow('not a method that is sent');
      expect(seen).toEqual([]);
    },
  );

  it('follows no redirect', async () => {
    expect((await fetch(`${origin}/moved`)).status).toBe(302);
    expect(seen).toHaveLength(1);
  });

  it('dials neither plain HTTP nor a private address that nobody named', async () => {
    const unnamed = guardedFetch({ ...bounds, isNamed: () => false });
    await expect(unnamed(`${origin}/`)).rejects.toThrow('only https is fetched');
    await expect(unnamed(`${origin.replace('http:', 'https:')}/`)).rejects.toThrow('127.0.0.1 is not a public address');
    expect(seen).toEqual([]);
  });
});
