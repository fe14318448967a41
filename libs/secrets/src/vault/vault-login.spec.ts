import { createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { TestAuthority } from '@warder/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SecretStore } from '../secret-store.js';
import type { VaultSettings } from './vault-settings.js';
import { createVaultStore } from './vault-store.js';
import { vaultScene } from './vault.scene.js';

const scene = vaultScene();
const opened: SecretStore[] = [];
const ROLE = 'auth/approle/role/warder-credentials';

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  await scene.bao.ask('POST', ROLE, { token_ttl: '1h', token_max_ttl: '24h' });
});

function open(settings: VaultSettings): SecretStore {
  const store = createVaultStore(settings);
  opened.push(store);
  return store;
}

/** How often something was asked of the vault since its start, and answered without an error. */
async function answered(path: string): Promise<number> {
  const lines = (await scene.bao.auditLog()).trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as { type: string; error?: string; request: { path: string } })
    .filter(({ type, error, request }) => type === 'response' && error === undefined && request.path === path).length;
}

/** Ends every token but root's. */
async function revokeTokens(): Promise<void> {
  const listed = await scene.bao.ask<{ data: { keys: string[] } }>('GET', 'auth/token/accessors?list=true');
  const root = await scene.bao.ask<{ data: { accessor: string } }>('GET', 'auth/token/lookup-self');
  for (const accessor of listed.data.keys) {
    if (accessor !== root.data.accessor) await scene.bao.ask('POST', 'auth/token/revoke-accessor', { accessor });
  }
}

describe('the token of a vault', () => {
  it('is renewed at two thirds of its time, without another login', async () => {
    await scene.bao.ask('POST', ROLE, { token_ttl: '3s', token_max_ttl: '1h' });
    const [logins, renewals] = [await answered('auth/approle/login'), await answered('auth/token/renew-self')];
    const store = open(await scene.settings());
    await store.put('static/files', 'one');
    await vi.waitFor(async () => expect(await answered('auth/token/renew-self')).toBeGreaterThanOrEqual(renewals + 2), {
      timeout: 20_000,
      interval: 200,
    });
    expect(await store.get('static/files')).toBe('one');
    expect(await answered('auth/approle/login')).toBe(logins + 1);
  });

  it('is replaced before its greatest age, by the secret id in memory', async () => {
    await scene.bao.ask('POST', ROLE, { token_ttl: '2s', token_max_ttl: '3s' });
    const logins = await answered('auth/approle/login');
    const settings = await scene.settings();
    const store = open(settings);
    await store.put('static/files', 'one');
    rmSync(settings.approle?.wrappedSecretIdFile ?? '');
    await vi.waitFor(async () => expect(await answered('auth/approle/login')).toBeGreaterThanOrEqual(logins + 2), {
      timeout: 20_000,
      interval: 200,
    });
    expect(await store.get('static/files')).toBe('one');
  });

  it('that was revoked is replaced by the call that meets it, which succeeds', async () => {
    const store = open(await scene.settings());
    await store.put('static/files', 'one');
    await revokeTokens();
    const states: string[] = [];
    store.onStateChange(({ state }) => states.push(state));
    expect(await Promise.all([store.get('static/files'), store.get('static/files')])).toEqual(['one', 'one']);
    expect(states).toEqual([]);
  });

  it('ends with the store', async () => {
    const revoked = await answered('auth/token/revoke-self');
    const store = open(await scene.settings());
    await store.list();
    await store.close();
    expect(await answered('auth/token/revoke-self')).toBe(revoked + 1);
  });

  it('is not asked of a vault that refused a moment ago', async () => {
    const settings = await scene.settings();
    writeFileSync(settings.approle?.wrappedSecretIdFile ?? '', 's.nobody-made-this\n');
    const store = open(settings);
    const lookups = async () => (await scene.bao.auditLog()).split('sys/wrapping/lookup').length;
    await expect(store.list()).rejects.toMatchObject({ reason: 'refused' });
    const before = await lookups();
    for (let at = 0; at < 20; at += 1) await expect(store.list()).rejects.toMatchObject({ reason: 'refused' });
    expect((await lookups()) - before).toBeLessThan(20);
  });
});

describe('a wrapped secret id', () => {
  it('that somebody else unwrapped is told', async () => {
    const settings = await scene.settings();
    const wrapping = await scene.bao.wrappedSecretId();
    await scene.bao.ask('POST', 'sys/wrapping/unwrap', {}, { 'x-vault-token': wrapping });
    writeFileSync(settings.approle?.wrappedSecretIdFile ?? '', wrapping);
    const store = open(settings);
    await expect(store.list()).rejects.toMatchObject({ reason: 'refused', message: /somebody else has the secret id/ });
    expect(await store.health()).toMatchObject({ state: 'refused', detail: expect.stringContaining('wrapped') });
  });

  it('that was not made by an AppRole is not unwrapped', async () => {
    const settings = await scene.settings();
    const headers = { 'x-vault-wrap-ttl': '60s' };
    const body = { secret_id: 'of-the-attacker' };
    const { wrap_info: wrapped } = await scene.bao.ask<{ wrap_info: { token: string } }>(
      'POST',
      'sys/wrapping/wrap',
      body,
      headers,
    );
    writeFileSync(settings.approle?.wrappedSecretIdFile ?? '', wrapped.token);
    await expect(open(settings).list()).rejects.toMatchObject({ reason: 'refused', message: /AppRole/ });
    expect(
      (await scene.bao.ask<{ data: object }>('POST', 'sys/wrapping/unwrap', {}, { 'x-vault-token': wrapped.token }))
        .data,
    ).toEqual(body);
  });

  it('is read again when the one in memory was destroyed', async () => {
    const settings = await scene.settings();
    const store = open(settings);
    await store.list();
    await scene.bao.ask('DELETE', ROLE);
    await scene.bao.ask('POST', ROLE, { token_policies: ['warder-credentials'], token_no_default_policy: true });
    await revokeTokens();
    await expect(store.list()).rejects.toMatchObject({ reason: 'refused' });
    const file = settings.approle?.wrappedSecretIdFile ?? '';
    await scene.bao.ask('POST', `${ROLE}/role-id`, { role_id: settings.approle?.roleId ?? '' });
    writeFileSync(file, await scene.bao.wrappedSecretId());
    await vi.waitFor(async () => expect(await store.list()).toBeDefined(), { timeout: 10_000, interval: 200 });
  });
});

describe('a platform token', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const jwtFor = (claims: object) => {
    const signed = `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded(claims)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
  };
  const claims = () => {
    const nowSeconds = Math.floor(Date.now() / 1_000);
    return {
      iss: 'ci',
      sub: 'credentials',
      aud: ['vault'],
      iat: nowSeconds,
      nbf: nowSeconds - 60,
      exp: nowSeconds + 300,
    };
  };
  const policies = { token_policies: ['warder-credentials'], token_no_default_policy: true };

  it('lets us in by JWT, read from its file at each login', async () => {
    await scene.bao.ask('POST', 'sys/auth/jwt', { type: 'jwt' });
    await scene.bao.ask('POST', 'auth/jwt/config', { jwt_validation_pubkeys: [pem], bound_issuer: 'ci' });
    const role = { role_type: 'jwt', bound_audiences: ['vault'], user_claim: 'sub', bound_subject: 'credentials' };
    await scene.bao.ask('POST', 'auth/jwt/role/warder', { ...role, ...policies });
    const tokenFile = join(scene.dir, 'jwt');
    writeFileSync(tokenFile, jwtFor({ ...claims(), sub: 'somebody' }));
    const store = open(await scene.settings({ approle: undefined, jwt: { role: 'warder', tokenFile } }));
    await expect(store.list()).rejects.toMatchObject({ reason: 'refused' });
    writeFileSync(tokenFile, jwtFor(claims()));
    await vi.waitFor(async () => expect(await store.put('static/files', 'one')).toBeGreaterThan(0), {
      timeout: 10_000,
      interval: 200,
    });
  });

  it('lets us in by the service account of a pod', async () => {
    const cluster = await tokenReviewer();
    const { port } = cluster.address() as AddressInfo;
    await scene.bao.ask('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
    await scene.bao.ask('POST', 'auth/kubernetes/config', {
      kubernetes_host: `http://127.0.0.1:${port}`,
      disable_local_ca_jwt: true,
      kubernetes_ca_cert: readFileSync((await TestAuthority.make(scene.dir, 'cluster')).caFile, 'utf8'),
    });
    const bound = { bound_service_account_names: ['credentials'], bound_service_account_namespaces: ['warder'] };
    await scene.bao.ask('POST', 'auth/kubernetes/role/warder', { ...bound, ...policies });
    const tokenFile = join(scene.dir, 'pod');
    const settings = await scene.settings({ approle: undefined, kubernetes: { role: 'warder', tokenFile } });
    writeFileSync(tokenFile, jwtFor(podClaims()));
    expect(await open(settings).put('static/files', 'one')).toBeGreaterThan(0);
    cluster.close();
  });

  function podClaims(): object {
    const of = { namespace: 'warder', serviceaccount: { name: 'credentials', uid: 'u1' } };
    return { ...claims(), sub: 'system:serviceaccount:warder:credentials', 'kubernetes.io': of };
  }
});

/** The one call of Kubernetes' API that a vault makes: whose token is it? */
async function tokenReviewer(): Promise<Server> {
  const server = createServer((request, response) => {
    const isAsked = request.method === 'POST' && request.url === '/apis/authentication.k8s.io/v1/tokenreviews';
    const user = {
      username: 'system:serviceaccount:warder:credentials',
      uid: 'u1',
      groups: ['system:serviceaccounts'],
    };
    response.writeHead(isAsked ? 201 : 404, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ kind: 'TokenReview', status: { authenticated: isAsked, user, audiences: ['vault'] } }),
    );
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
