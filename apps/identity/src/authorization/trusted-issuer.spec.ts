import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { guardedFetch } from '@warder/egress';
import { AccessTokens, Callers, PrincipalDirectory } from '@warder/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene, PEPPER } from '../identity.scene.js';
import { issuerFacts } from './trusted-issuer.js';
import { TrustedIssuerConfig } from './trusted-issuer-config.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwkOf = (key: KeyObject, more: object = {}) => ({ ...key.export({ format: 'jwk' }), use: 'sig', ...more });
const R1 = jwkOf(rsa.publicKey, { kid: 'r1' });
const E1 = jwkOf(ec.publicKey, { kid: 'e1', alg: 'ES256' });

/** What the company's authorization server publishes, by path; absent: 404. */
const published = new Map<string, unknown>();
const asked: string[] = [];
const company = createServer((request, response) => {
  asked.push(request.url ?? '');
  const document = published.get(request.url ?? '');
  response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(document ?? {}));
});
let issuer: string;
let scene: IdentityScene;

const configOf = (more: object = {}) => ({ issuer, allowPrivateAddress: true, subjectsOf: 'scim', ...more });
const factsOf = (more: object = {}) =>
  issuerFacts(
    TrustedIssuerConfig.parse(configOf(more)),
    guardedFetch({ timeoutMs: 2_000, bytesMax: 65_536, isNamed: (url) => url.hostname === '127.0.0.1' }),
  );
const start = (trusted?: object) =>
  scene.start({
    scim: { tokens: { okta: 'scim-bearer-of-thirty-two-characters-and-more' } },
    ...(trusted === undefined ? {} : { authorization: { mode: 'resource-server', trusted } }),
  });
const current = () => scene.issuers.get('current');
/** What an ingress node says of a bearer, by what identity told the bus. */
const atIngress = (bearer: string) => {
  const directory = new PrincipalDirectory({ p1: PEPPER });
  const callers = new Callers(directory, new AccessTokens(() => scene.running!.url));
  for (const [id, state] of scene.principals) callers.applyPrincipal(id, state);
  for (const state of scene.issuers.values()) callers.applyIssuer(state);
  const found = callers.examine(bearer, `${scene.running!.url}/mcp/dev`, Date.now(), '127.0.0.1');
  return typeof found === 'string' ? found : found.principal.name;
};
const tokenOf = (sub: string, kid = 'e1') => {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const nowS = Math.floor(Date.now() / 1_000);
  const aud = `${scene.running!.url}/mcp/dev`;
  const claims = { iss: issuer, sub, aud, client_id: 'editor', iat: nowS, exp: nowS + 300 };
  const signed = `${part({ alg: kid === 'e1' ? 'ES256' : 'RS256', typ: 'at+jwt', kid })}.${part(claims)}`;
  const key = kid === 'e1' ? { key: ec.privateKey, dsaEncoding: 'ieee-p1363' as const } : rsa.privateKey;
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
};
const scim = async (method: string, path: string, body: object) => {
  const answer = await fetch(`${scene.running!.url}/scim/v2/${path}`, {
    method,
    headers: {
      authorization: 'Bearer scim-bearer-of-thirty-two-characters-and-more',
      'content-type': 'application/scim+json',
    },
    body: JSON.stringify(body),
  });
  return (await answer.json()) as { id: string };
};

beforeAll(async () => {
  company.listen(0, '127.0.0.1');
  await once(company, 'listening');
  issuer = `http://127.0.0.1:${(company.address() as AddressInfo).port}`;
  published.set('/.well-known/oauth-authorization-server', { issuer, jwks_uri: `${issuer}/jwks` });
  published.set('/jwks', { keys: [R1, E1] });
  scene = await IdentityScene.create();
});

afterAll(async () => {
  await scene?.close();
  company.close();
});

describe('the keys of the company’s authorization server', () => {
  it('are each used with the one algorithm that they say, or that is usual for their kind', async () => {
    const { keys } = await factsOf();
    expect(keys.map(({ id, algorithm }) => [id, algorithm])).toEqual([
      ['r1', 'RS256'],
      ['e1', 'ES256'],
    ]);
    // Nothing but the public half travels.
    expect(keys.map(({ jwk }) => Object.keys(jwk).toSorted())).toEqual([
      ['e', 'kty', 'n'],
      ['crv', 'kty', 'x', 'y'],
    ]);
  });

  it.each([
    ['for encryption', { ...E1, use: 'enc' }],
    ['without an id', { ...E1, kid: undefined }],
    ['of another curve', { ...E1, crv: 'P-384' }],
    ['for a shared secret', { kty: 'oct', k: 'AAAA', kid: 'e1', alg: 'HS256' }],
    ['for another algorithm than their kind’s', { ...E1, alg: 'RS256' }],
    ['with an algorithm that is not taken', { ...R1, alg: 'RS512' }],
    ['that are none', 'key'],
    ['of nothing', null],
  ])('are left out where they are %s', async (_, key) => {
    published.set('/odd', { keys: [key] });
    expect((await factsOf({ jwksUri: `${issuer}/odd` })).keys).toEqual([]);
  });

  it('are left out where two have one id, and past a bound', async () => {
    published.set('/odd', { keys: [E1, { ...R1, kid: 'e1' }, R1] });
    expect((await factsOf({ jwksUri: `${issuer}/odd` })).keys.map(({ id }) => id)).toEqual(['r1']);
    published.set('/odd', { keys: Array.from({ length: 100 }, (_, at) => ({ ...E1, kid: `k${at}` })) });
    expect((await factsOf({ jwksUri: `${issuer}/odd` })).keys).toHaveLength(64);
  });

  it('are not taken from whoever speaks for another issuer, nor from another place of the network', async () => {
    const at = '/.well-known/oauth-authorization-server';
    const own = published.get(at);
    published.set(at, { issuer: 'https://evil.example', jwks_uri: `${issuer}/jwks` });
    await expect(factsOf()).rejects.toThrow('speaks for another issuer');
    published.set(at, { issuer, jwks_uri: issuer.replace('127.0.0.1', 'localhost') + '/jwks' });
    await expect(factsOf()).rejects.toThrow('only https');
    published.set(at, own);
    await expect(factsOf({ jwksUri: `${issuer}/none` })).rejects.toThrow('answers 404');
  });
});

describe('the mode of a resource server', () => {
  it('tells nodes of the issuer and of who its subjects are, so that its tokens are taken', async () => {
    await start(configOf());
    await expect
      .poll(current)
      .toMatchObject({ version: 1, status: 'active', issuer, subjectsOf: '@scim', scope: null });
    expect(atIngress(tokenOf('00u-ana'))).toBe('principal-unknown');
    const { id } = await scim('POST', 'Users', { userName: 'ana@example.com', externalId: '00u-ana', active: true });
    await expect.poll(() => atIngress(tokenOf('00u-ana'))).toBe('ana@example.com');
    expect(atIngress(tokenOf('00u-ana', 'r1'))).toBe('ana@example.com');
    await scim('PATCH', `Users/${id}`, { Operations: [{ op: 'replace', path: 'externalId', value: '00u-moved' }] });
    await expect.poll(() => atIngress(tokenOf('00u-moved'))).toBe('ana@example.com');
    expect(atIngress(tokenOf('00u-ana'))).toBe('principal-unknown');
    await scim('PATCH', `Users/${id}`, { Operations: [{ op: 'replace', path: 'active', value: false }] });
    await expect.poll(() => atIngress(tokenOf('00u-moved'))).toBe('principal-suspended');
  });

  it('follows the rotation of keys, on record, and keeps the last good ones while the server is away', async () => {
    await scene.stop();
    published.set('/jwks', { keys: [E1] });
    await start(configOf());
    await expect.poll(() => current()?.keys.map(({ id }) => id)).toEqual(['e1']);
    expect(current()?.version).toBe(2);
    const told = () => scene.records.filter(({ method }) => method.includes('trusted-issuer.change')).length;
    await expect.poll(told, { timeout: 10_000 }).toBe(2);
    await scene.stop();
    published.delete('/jwks');
    asked.length = 0;
    await start(configOf());
    await expect.poll(() => asked).toContain('/jwks');
    await expect.poll(current).toMatchObject({ version: 2, status: 'active' });
  });

  it('ends with its configuration: no token of the issuer is taken any more', async () => {
    await scene.stop();
    await start();
    await expect.poll(current).toMatchObject({ version: 3, status: 'retired', keys: [] });
    expect(atIngress(tokenOf('00u-moved'))).not.toBe('ana@example.com');
  });

  it('is refused without an issuer', async () => {
    await scene.stop();
    await expect(scene.start({ authorization: { mode: 'resource-server' } })).rejects.toThrow(/trusted/);
  });
});
