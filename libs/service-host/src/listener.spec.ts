import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startServiceForTest } from './start-service-for-test.js';

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

describe('a host with a certificate', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'warder-tls-'));
    writeFileSync(join(dir, 'tls.crt'), CERTIFICATE);
    writeFileSync(join(dir, 'tls.key'), KEY);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  const tls = () => ({ certificateFile: join(dir, 'tls.crt'), keyFile: join(dir, 'tls.key') });
  const service = { name: 'sample', config: z.strictObject({}), module: () => ({ module: class {} }) };

  it('answers over TLS, tells browsers to stay there, and may listen beyond loopback', async () => {
    const settings = { listen: { host: '0.0.0.0', port: 0 }, tls: tls() };
    const running = await startServiceForTest(service, {}, { settings });
    expect(running.url).toMatch(/^https:\/\/localhost:\d+$/);
    const asked = request(`${running.url}/none`, { ca: CERTIFICATE });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(404);
    expect(answer.headers['strict-transport-security']).toBe('max-age=31536000');
    await running.stop();
  });
});
