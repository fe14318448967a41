import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Resolver } from './dial.js';
import { createPool, type PoolOptions } from './guarded-pool.js';

let server: Server;
let port: number;
let requests = 0;

beforeAll(async () => {
  server = createServer((request, response) => {
    requests += 1;
    if (request.url === '/moved') response.writeHead(302, { location: '/elsewhere' });
    response.end('here');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const resolvesTo =
  (...addresses: string[]): Resolver =>
  (_hostname, _options, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );

async function get(host: string, options: PoolOptions, path = '/'): Promise<string> {
  const pool = createPool(new URL(`http://${host}:${port}`), options);
  try {
    const answer = await pool.request({ method: 'GET', path });
    return `${answer.statusCode} ${await answer.body.text()}`;
  } catch (error) {
    return String((error as { code?: string }).code);
  } finally {
    await pool.destroy();
  }
}

describe('invariant 8: outbound requests reach no private address unless an operator named it', () => {
  it('dials loopback only where it is allowed', async () => {
    expect(await get('127.0.0.1', { allowPrivateAddress: true })).toBe('200 here');
    expect(await get('127.0.0.1', { allowPrivateAddress: false })).toBe('WDR_ADDRESS_REFUSED');
    expect(await get('localhost', { allowPrivateAddress: false })).toBe('WDR_ADDRESS_REFUSED');
    expect(await get('[::ffff:127.0.0.1]', { allowPrivateAddress: false })).toBe('WDR_ADDRESS_REFUSED');
  });

  it('judges the address a name resolves to, when it is dialled', async () => {
    const before = requests;
    const resolver = resolvesTo('127.0.0.1');
    expect(await get('innocent.example', { allowPrivateAddress: false, resolver })).toBe('WDR_ADDRESS_REFUSED');
    expect(requests).toBe(before);
    expect(await get('innocent.example', { allowPrivateAddress: true, resolver })).toBe('200 here');
  });

  it('refuses a name that hides a private address among public ones', async () => {
    const resolver = resolvesTo('8.8.8.8', '127.0.0.1');
    expect(await get('mixed.example', { allowPrivateAddress: false, resolver })).toBe('WDR_ADDRESS_REFUSED');
  });

  it('follows no redirect', async () => {
    expect(await get('127.0.0.1', { allowPrivateAddress: true }, '/moved')).toMatch(/^302/);
  });

  it('takes http and https only', () => {
    expect(() => createPool(new URL('ftp://example.com'), { allowPrivateAddress: true })).toThrow(TypeError);
  });
});
