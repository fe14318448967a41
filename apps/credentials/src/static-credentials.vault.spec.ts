import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, createInProcessBus } from '@warder/bus';
import { type ConnectionState, connectionStateTopic, principalStateTopic, tokenStateTopic } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { decodeStaticSecret, openSecretStore, SecretsSettings } from '@warder/secrets';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { OpenBao } from '@warder/testing';
import { digestOf, issueToken } from '@warder/tokens';
import { randomBytes } from 'node:crypto';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { credentialsService } from './index.js';
import { vaultSecrets } from './vault.scene.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const bearer = issueToken(randomBytes);
const path = '/admin/credentials/static/files';
const header = { kind: 'header', name: 'authorization', value: 'Bearer canary-one' };

let database: EmbeddedPostgres;
let bao: OpenBao;
let bus: Bus;
let running: RunningHost;
let root: string;
const states: ConnectionState[] = [];

beforeAll(async () => {
  [database, bao] = await Promise.all([startEmbeddedPostgres({ ephemeral: true }), OpenBao.start()]);
  root = mkdtempSync(join(tmpdir(), 'warder-credentials-'));
  bus = createInProcessBus({ node: 'n1', log, clock });
  await bus.watch(connectionStateTopic, 'beginning', ({ value }) => states.push(value));
  await bus.own(principalStateTopic);
  await bus.own(tokenStateTopic);
  const id = 'usr_admin';
  await bus.publish(principalStateTopic, id, { ...principalStateTopic.example, version: 1, id, roles: ['admin'] });
  const token = { ...tokenStateTopic.example, version: 1, id: 'pat_admin', principalId: id, pepperKeyId: 'p1' };
  await bus.publish(tokenStateTopic, digestOf(bearer, PEPPER), { ...token, expiresAtMs: Date.now() + 3_600_000 });
  const config = {
    database: { url: database.url },
    pepper: { current: 'p1', keys: { p1: PEPPER } },
    secrets: await vaultSecrets(bao, root, { timeoutMs: 500 }),
  };
  running = await startServiceForTest(credentialsService, config, { bus, clock });
  await untilItAnswers();
});
afterAll(async () => {
  await running?.stop();
  await bus?.close();
  await Promise.all([database?.stop(), bao?.stop()]);
  rmSync(root, { recursive: true, force: true });
});

const as = () => request.agent(running.url).set('authorization', `Bearer ${bearer}`);
const ready = async () => (await request(running.url).get('/readyz')).body as { degraded?: { secrets?: string } };
const metrics = async () => (await request(running.url).get('/metrics')).text;

async function refusedWith(message: RegExp, state: string): Promise<void> {
  const answer = await as().put(path).send(header);
  expect([answer.status, answer.body.error.code]).toEqual([503, 'WDR_SECRET_STORE_UNAVAILABLE']);
  expect(answer.body.error.message).toMatch(message);
  expect((await ready()).degraded?.secrets).toMatch(message);
  expect(await metrics()).toContain(`warder_secret_store_state{store="vault",state="${state}"} 1`);
}

async function untilItAnswers(): Promise<void> {
  await vi.waitFor(async () => expect((await as().get('/admin/credentials/static')).status).toBe(200));
}

async function backAgain(): Promise<void> {
  await vi.waitFor(async () => expect((await ready()).degraded).toBeUndefined(), { timeout: 20_000, interval: 100 });
}

describe('static credentials in a real vault', () => {
  it('are there for the lease of a node, and leave nothing in clear anywhere else', async () => {
    expect((await as().put(path).send(header)).body).toMatchObject({ version: 1, status: 'active' });
    await vi.waitFor(() => expect(states.at(-1)).toMatchObject({ version: 1 }));
    const store = await openSecretStore(SecretsSettings.parse(await vaultSecrets(bao, root)));
    const secret = decodeStaticSecret((await store.get('static/files')) ?? '');
    expect(secret).toEqual({ version: 1, kind: 'header', name: 'authorization', value: 'Bearer canary-one' });
    await store.close();
    const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    const rows = await source.query('SELECT * FROM credentials.static_credential');
    await source.destroy();
    expect(JSON.stringify([rows, states])).not.toContain('canary');
    expect(await bao.auditLog()).not.toContain('canary');
    expect(readdirSync(root).every((file) => file.startsWith('wrapped-'))).toBe(true);
  });

  it('are not changed while it is sealed, stopped or silent: 503 with the reason, in readiness and metrics too', async () => {
    const before = (await as().get('/admin/credentials/static')).body;
    await bao.seal();
    await refusedWith(/the vault is sealed: unseal it/, 'sealed');
    await bao.unseal();
    await backAgain();
    await bao.pause();
    await refusedWith(/no answer within 500 ms/, 'unreachable');
    bao.resume();
    await backAgain();
    await bao.halt();
    await refusedWith(/ECONNREFUSED/, 'unreachable');
    await bao.launch();
    await bao.unseal();
    await backAgain();
    expect((await as().get('/admin/credentials/static')).body).toEqual(before);
    expect((await as().put(path).send(header)).status).toBe(200);
  });

  it('are revoked while it is sealed, and the secret is removed when it is back', async () => {
    await as().put(path).send(header);
    await bao.seal();
    const revoked = await as().delete(path);
    expect([revoked.status, revoked.body.status]).toEqual([200, 'revoked']);
    await vi.waitFor(() => expect(states.at(-1)).toMatchObject({ status: 'revoked' }));
    await bao.unseal();
    await vi.waitFor(
      async () => {
        const names = await bao.ask('GET', 'kv/metadata/warder/static?list=true').then(
          (answer) => JSON.stringify(answer),
          (error) => String(error),
        );
        expect(names).toContain('404');
      },
      { timeout: 20_000, interval: 100 },
    );
  });

  it('are put by one of two that come at once after the other, each version once', async () => {
    const first = (await as().put(path).send(header)).body.version as number;
    const answers = await Promise.all(Array.from({ length: 5 }, () => as().put(path).send(header)));
    expect(answers.map(({ body }) => body.version as number).sort((a, b) => a - b)).toEqual(
      [1, 2, 3, 4, 5].map((more) => first + more),
    );
  });
});
