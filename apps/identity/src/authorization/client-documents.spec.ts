import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import { ScriptedBrowser, TestAuthority } from '@warder/testing';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene } from '../identity.scene.js';

const CALLBACK = 'http://127.0.0.1:3118/callback';
const dir = mkdtempSync(join(tmpdir(), 'warder-documents-'));
let scene: IdentityScene;
let publisher: ReturnType<typeof createServer>;
let host: string;
/** What the publisher answers, by path; absent: 503. */
const published = new Map<string, object>();
const asked: string[] = [];

/** Opens the sign-in of a client that is known by the address of its document. */
const open = async (clientId: string, redirectUri = CALLBACK) => {
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: redirectUri,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    resource: `${scene.running!.url}/mcp/dev`,
  };
  return ScriptedBrowser.until('http://127.0.0.1:3118').open(
    `${scene.running!.url}/oauth/authorize?${new URLSearchParams(params)}`,
  );
};
const documentOf = (clientId: string, more: object = {}) => ({
  client_id: clientId,
  client_name: 'Coder',
  redirect_uris: ['http://localhost/callback', 'http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  ...more,
});
const startScene = async (authorization: object) => {
  await scene.start({ authorization });
  const document = PolicyDocument.parse({ upstreams: {}, virtualServers: { dev: { tools: [] } }, grants: [] });
  const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
  await scene.bus.ensureTopics([policySnapshotTopic]);
  await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
};

beforeAll(async () => {
  const authority = await TestAuthority.make(dir);
  const { certificateFile, keyFile } = await authority.certify('127.0.0.1');
  publisher = createServer({ cert: readFileSync(certificateFile), key: readFileSync(keyFile) }, (request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/moved') return response.writeHead(302, { location: '/coder' }).end();
    const document = published.get(request.url ?? '');
    response.writeHead(document === undefined ? 503 : 200, { 'content-type': 'application/json' });
    return response.end(JSON.stringify(document ?? {}));
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => publisher.once('listening', resolve));
  host = `127.0.0.1:${(publisher.address() as AddressInfo).port}`;
  scene = await IdentityScene.create();
  await startScene({ privateDocumentHosts: [host], documentCaFile: authority.caFile });
});

afterAll(async () => {
  await scene?.close();
  publisher?.close();
  rmSync(dir, { recursive: true, force: true });
});

describe('a client that publishes who it is', () => {
  it('is shown as verified, whatever port it waits at and though its document names no type (trap 3)', async () => {
    const id = `https://${host}/coder`;
    published.set('/coder', documentOf(id));
    const page = await open(id);
    expect(page.status).toBe(200);
    expect(page.text).toContain('Let “Coder” use “dev” for you?');
    expect(page.text).toContain(`Who it is was verified: <strong>${host}</strong> publishes it.`);
    expect(page.text).toContain('Any program on this computer can pose as it.');
    expect((await open(id, 'http://127.0.0.1:3118/elsewhere')).status).toBe(400);
  });

  it('is asked about again when its publisher is away, by the last good copy (trap 4)', async () => {
    const id = `https://${host}/away`;
    published.set('/away', documentOf(id));
    expect((await open(id)).status).toBe(200);
    published.delete('/away');
    // A new process, so that nothing is left in its memory.
    await scene.stop();
    const caFile = join(dir, 'authority.pem');
    await startScene({ privateDocumentHosts: [host], documentCaFile: caFile });
    const before = asked.length;
    expect((await open(id)).status).toBe(200);
    expect(asked.slice(before)).toEqual(['/away']);
  });

  it('is known by the last good copy when its publisher has lost the document, and answers something else', async () => {
    const id = `https://${host}/lost`;
    published.set('/lost', documentOf(id));
    expect((await open(id)).status).toBe(200);
    await scene.stop();
    await startScene({ privateDocumentHosts: [host], documentCaFile: join(dir, 'authority.pem') });
    for (const lost of [{ error: 'not found' }, documentOf('https://other.example/client'), [id]]) {
      published.set('/lost', lost);
      expect((await open(id)).status).toBe(200);
    }
  });

  it('has its copy kept within bounds, for anybody can name as many as they like', async () => {
    await scene.query(`INSERT INTO identity.oauth_item (model, id, payload, expires_at)
      SELECT 'ClientDocument', 'https://flood.example/' || n, '{}', now() + interval '1 day' FROM generate_series(1, 1000) AS n`);
    const kept = async (id: string) =>
      (await scene.query(`SELECT 1 FROM identity.oauth_item WHERE model = 'ClientDocument' AND id = '${id}'`)).length;
    const [strange, used] = [`https://${host}/strange`, `https://${host}/used`];
    await scene.query(
      `INSERT INTO identity.oauth_item (model, id, payload) VALUES ('Grant', 'g', '{"clientId":"${used}"}')`,
    );
    for (const id of [strange, used]) {
      published.set(new URL(id).pathname, documentOf(id));
      expect((await open(id)).status).toBe(200);
    }
    expect([await kept(strange), await kept(used)]).toEqual([0, 1]);
  });

  it('is known by the pinned copy where it is one that many have and nobody can reach (trap 4)', async () => {
    const page = await open('https://claude.ai/oauth/claude-code-client-metadata');
    expect(page.text).toContain('Let “Claude Code” use “dev” for you?');
  });

  it.each([
    ['names another client', { client_id: 'https://other.example/client' }],
    ['holds a shared secret', { client_secret: 'x'.repeat(40) }],
    ['has nowhere to go back to', { redirect_uris: [] }],
    ['is longer than any', { filler: 'x'.repeat(300_000) }],
  ])('is refused when its document %s', async (name, more) => {
    const path = `/${name.replaceAll(' ', '-')}`;
    published.set(path, documentOf(`https://${host}${path}`, more));
    expect((await open(`https://${host}${path}`)).status).toBe(400);
  });

  it('is refused when its document is elsewhere, not public, or without TLS (trap 6)', async () => {
    for (const id of [
      `https://${host}/moved`,
      'https://127.0.0.1:1/client',
      'https://[::ffff:127.0.0.1]/client',
      'https://0x7f000001/client',
      'https://169.254.169.254/latest',
      `http://${host}/coder`,
      `https://user@${host}/coder`,
      `https://${host}/coder#x`,
    ]) {
      expect({ id, status: (await open(id)).status }).toEqual({ id, status: 400 });
    }
  });
});

describe('whoever names an address that is not public (SSRF)', () => {
  /** Each way to write this machine, or another place that is nobody's business. */
  const PLACES = `127.0.0.1 127.1 0x7f000001 0x7f.0x0.0x0.0x1 2130706433 017700000001 0177.0.0.1 0.0.0.0
    [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::7f00:1] [64:ff9b::7f00:1] [64:ff9b:1::7f00:1]
    [2002:7f00:1::] [fe80::1] [fc00::1] [fec0::1] [2001:0:1::1] localhost localhost. LOCALHOST 127.0.0.1. ①②⑦.0.0.1
    127。0。0。1 169.254.169.254 100.64.0.1 10.0.0.1 172.16.0.1 192.168.0.1 198.18.0.1 255.255.255.255`.split(/\s+/);

  let reached = 0;
  const decoy = createPlainServer((_, response) => response.end('{}'));
  let port: number;

  beforeAll(async () => {
    decoy.on('connection', () => (reached += 1));
    decoy.listen(0, '::');
    await once(decoy, 'listening');
    port = (decoy.address() as AddressInfo).port;
    // It can be reached at all.
    for (const place of ['127.0.0.1', '[::1]']) await fetch(`http://${place}:${port}/`);
    if (reached !== 2) throw new Error('the decoy cannot be reached at all');
    reached = 0;
  });
  afterAll(() => void decoy.close());

  it.each(PLACES)('reaches nothing at %s by the document of a client', async (place) => {
    expect((await open(`https://${place}:${port}/client`)).status).toBe(400);
    expect(reached).toBe(0);
  });

  it('reaches nothing by what a client registers: its keys, its pages', async () => {
    for (const place of ['127.0.0.1', '[::ffff:127.0.0.1]', '0x7f000001', 'localhost.']) {
      const address = `https://${place}:${port}/x`;
      const registered = await fetch(`${scene.running!.url}/oauth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          redirect_uris: [CALLBACK],
          token_endpoint_auth_method: 'private_key_jwt',
          jwks_uri: address,
          logo_uri: address,
          sector_identifier_uri: address,
        }),
      });
      const { client_id: id = 'none' } = (await registered.json()) as { client_id?: string };
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const claims = { iss: id, sub: id, aud: scene.running!.url, jti: 'j', exp: Math.floor(Date.now() / 1_000) + 60 };
      const answer = await fetch(`${scene.running!.url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'refresh_token',
          refresh_token: 'x',
          client_id: id,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: `${part({ alg: 'ES256', kid: 'k' })}.${part(claims)}.${'A'.repeat(86)}`,
        }),
      });
      expect([400, 401]).toContain(answer.status);
    }
    expect(reached).toBe(0);
  });
});

describe('a client that publishes its keys', () => {
  let pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publishKeys = () => {
    const jwk = { ...pair.publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' };
    published.set('/keyed-keys', { keys: [jwk] });
  };
  /** What the client learns of a token that is none: only whoever is the client is told. */
  const come = async (): Promise<number> => {
    const id = `https://${host}/keyed`;
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg: 'ES256' })
      .setIssuer(id)
      .setSubject(id)
      .setAudience(scene.running!.url)
      .setExpirationTime('1m')
      .sign(pair.privateKey);
    const answer = await fetch(`${scene.running!.url}/oauth/introspect`, {
      method: 'POST',
      body: new URLSearchParams({
        token: 'none',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: assertion,
      }),
    });
    return answer.status;
  };
  const fetches = () => asked.filter((path) => path === '/keyed-keys').length;

  it('proves itself by them, which are asked for once in a while, and by no copy of those that are gone', async () => {
    const id = `https://${host}/keyed`;
    const proof = { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `https://${host}/keyed-keys` };
    published.set('/keyed', documentOf(id, proof));
    publishKeys();
    expect((await open(id)).status).toBe(200);
    expect(await come()).toBe(200);
    const before = fetches();
    expect(before).toBe(1);
    const real = pair;
    pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    for (let times = 0; times < 3; times += 1) expect(await come()).toBe(401);
    expect(fetches()).toBe(before);
    const { monotonicMs } = scene;
    // Another key in its place: the old one is nobody's after a while.
    scene.monotonicMs = () => monotonicMs() + 31_000;
    publishKeys();
    expect(await come()).toBe(200);
    const second = pair;
    pair = real;
    expect(await come()).toBe(401);
    scene.monotonicMs = () => monotonicMs() + 62_000;
    published.delete('/keyed-keys');
    pair = second;
    expect([400, 401]).toContain(await come());
  });
});

describe('an operator who allows no documents, or those of some hosts', () => {
  it('has all others refused', async () => {
    const id = `https://${host}/allowed`;
    published.set('/allowed', documentOf(id));
    const common = { privateDocumentHosts: [host], documentCaFile: join(dir, 'authority.pem') };
    for (const [clientDocuments, status] of [
      ['off', 400],
      [['other.example'], 400],
      [[host], 200],
    ] as const) {
      await scene.stop();
      await startScene({ ...common, clientDocuments });
      expect((await open(id)).status).toBe(status);
    }
  });
});
