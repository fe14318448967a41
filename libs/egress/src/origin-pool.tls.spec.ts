import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { OriginPool, type OriginPoolOptions } from './origin-pool.js';

// Of no use to anybody: for localhost, made for this test, signed by itself, good until 2126.
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUe1W1AMgvYYMMV7a+MShN4fJXdxMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTIzNTMwNFoYDzIxMjYxMTAx
MjM1MzA0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQ8wI4F84PcVT1wsrxLdTQNDAUCgEOo81zLOYfNOzDLPPp9ScECdpbn
z0eMxQXhXCGVUJrgUlyTmE8JLYcVKFqZo28wbTAdBgNVHQ4EFgQU3R93ye6nMO51
3E94DbUiSA+px5wwHwYDVR0jBBgwFoAU3R93ye6nMO513E94DbUiSA+px5wwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIhAO5Agj2bY5ParsL8DBUylucGSfblvnkAFe5cWfT7bJX8AiAz
cKDSi02qhxo9WQgmn1INh/m4tbearJdSeI8huMgDlw==
-----END CERTIFICATE-----
`;
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjtAuvLngAXnrjSCf
A22P9XokxsYXEIFRMYm+gzq4LhahRANCAAQ8wI4F84PcVT1wsrxLdTQNDAUCgEOo
81zLOYfNOzDLPPp9ScECdpbnz0eMxQXhXCGVUJrgUlyTmE8JLYcVKFqZ
-----END PRIVATE KEY-----
`;

const seen: { readonly isResumed: boolean; readonly body: string }[] = [];
const server = createServer({ cert: CERTIFICATE, key: KEY }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const isResumed = (request.socket as unknown as { isSessionReused(): boolean }).isSessionReused();
    seen.push({ isResumed, body: Buffer.concat(chunks).toString() });
    const isLast = request.url === '/last';
    response.writeHead(200, isLast ? { connection: 'close' } : {}).end('ü'.repeat(100_000));
  });
});
let url: URL;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`https://localhost:${(server.address() as AddressInfo).port}`);
});

afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function post(pool: OriginPool, path: string): Promise<string> {
  return new Promise((resolve) => {
    const body: Buffer[] = [];
    pool.dispatch(
      { method: 'POST', path, headers: [], body: '{"t":"ü"}' },
      {
        onSend: () => true,
        onHead: () => {},
        onBody: (bytes) => void body.push(Buffer.from(bytes)),
        onEnd: () => resolve(Buffer.concat(body).toString()),
        onFault: (error) => resolve((error as { code?: string }).code ?? error.message),
      },
    );
  });
}

const poolOf = (options: Partial<OriginPoolOptions>) => new OriginPool(url, { allowPrivateAddress: true, ...options });

it('speaks TLS to a server whose certificate it trusts, and resumes its session on the next connection', async () => {
  const pool = poolOf({ ca: CERTIFICATE });
  expect(await post(pool, '/')).toBe('ü'.repeat(100_000));
  expect(await post(pool, '/last')).toBe('ü'.repeat(100_000));
  expect(await post(pool, '/')).toBe('ü'.repeat(100_000));
  expect(seen.map(({ isResumed }) => isResumed)).toStrictEqual([false, false, true]);
  expect(new Set(seen.map(({ body }) => body))).toStrictEqual(new Set(['{"t":"ü"}']));
  pool.destroy();
});

it('sends nothing to a server whose certificate it does not trust', async () => {
  const before = seen.length;
  const pool = poolOf({});
  expect(await post(pool, '/')).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  expect(seen).toHaveLength(before);
  pool.destroy();
});
