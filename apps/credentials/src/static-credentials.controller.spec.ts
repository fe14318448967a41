import { getDataSourceToken } from '@nestjs/typeorm';
import { AdminAccess } from '@warder/admin-access';
import { createInProcessBus, type Bus } from '@warder/bus';
import {
  type AuditRecord,
  auditRecordedTopic,
  type ConnectionState,
  connectionStateTopic,
  principalStateTopic,
  tokenStateTopic,
} from '@warder/contracts';
import { type AdminActor, type EmbeddedPostgres, Outbox, startEmbeddedPostgres } from '@warder/postgres';
import { createKeyringStore, type NamedSecrets } from '@warder/secrets';
import { type RunningHost, startServiceForTest } from '@warder/service-host';
import { createLogger } from '@warder/telemetry';
import { digestOf, issueToken } from '@warder/tokens';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import request from 'supertest';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { credentialsService } from './index.js';
import { StaticCredentialsStore } from './static-credentials.store.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const CANARY = 'Bearer canary-6f1d';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const bearers = { admin: issueToken(randomBytes), auditor: issueToken(randomBytes) };

let database: EmbeddedPostgres;
let bus: Bus;
let running: RunningHost | undefined;
let root: string;
let states: ConnectionState[];
let records: string[];

beforeAll(async () => {
  database = await startEmbeddedPostgres({ ephemeral: true });
});
afterAll(() => database.stop());
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'warder-credentials-'));
  const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await source.query('DROP SCHEMA IF EXISTS credentials CASCADE');
  await source.destroy();
  await startBus();
});
afterEach(async () => {
  await stopAll();
  rmSync(root, { recursive: true, force: true });
});

async function startBus(): Promise<void> {
  bus = createInProcessBus({ node: 'n1', log, clock });
  states = [];
  records = [];
  await bus.watch(connectionStateTopic, 'beginning', ({ value }) => states.push(value));
  await bus.subscribe(auditRecordedTopic, 'test', async ({ value }) => {
    records.push(JSON.stringify(value));
  });
  await bus.own(principalStateTopic);
  await bus.own(tokenStateTopic);
  for (const [role, bearer] of Object.entries(bearers)) {
    const id = `usr_${role}`;
    const roles = [role as keyof typeof bearers];
    await bus.publish(principalStateTopic, id, { ...principalStateTopic.example, version: 1, id, roles });
    const token = { ...tokenStateTopic.example, version: 1, id: `pat_${role}`, principalId: id };
    const expiresAtMs = Date.now() + 3_600_000;
    await bus.publish(tokenStateTopic, digestOf(bearer, PEPPER), { ...token, pepperKeyId: 'p1', expiresAtMs });
  }
}

async function stopAll(): Promise<void> {
  await running?.stop();
  running = undefined;
  await bus.close();
}

const places = () => ({ dir: join(root, 'secrets'), keyringFile: join(root, 'keyring') });

async function start(secrets: object = { create: true }): Promise<void> {
  const config = {
    database: { url: database.url },
    pepper: { current: 'p1', keys: { p1: PEPPER } },
    secrets: { ...places(), ...secrets },
  };
  running = await startServiceForTest(credentialsService, config, {
    bus,
    clock,
    settings: { bounds: { bodyBytesMax: 65_536 } },
  });
  await vi.waitFor(async () => expect((await as('admin').get('/admin/credentials/static')).status).toBe(200));
}

const as = (role: keyof typeof bearers) =>
  request.agent(running?.url ?? '').set('authorization', `Bearer ${bearers[role]}`);
const put = (upstream: string, body: object) => as('admin').put(`/admin/credentials/static/${upstream}`).send(body);
const bound = (store: NamedSecrets): NamedSecrets => ({
  put: store.put.bind(store),
  get: store.get.bind(store),
  read: store.read.bind(store),
  remove: store.remove.bind(store),
  list: store.list.bind(store),
});
const header = { kind: 'header', name: 'Authorization', value: CANARY };

describe('/admin/credentials/static', () => {
  it('stores a credential sealed, tells which it is, and never its value', async () => {
    await start();
    const answer = await put('files', header);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      upstream: 'files',
      version: 1,
      status: 'active',
      kind: 'header',
      name: 'authorization',
    });
    const list = await as('auditor').get('/admin/credentials/static');
    expect(list.body.credentials).toMatchObject([{ upstream: 'files', version: 1, name: 'authorization' }]);
    await vi.waitFor(() => expect(states).toHaveLength(1));
    await vi.waitFor(() => expect(records).toHaveLength(1));
    const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
    const rows = JSON.stringify(await source.query('SELECT * FROM credentials.static_credential'));
    await source.destroy();
    for (const text of [JSON.stringify([answer.body, list.body, states]), records.join(), rows]) {
      expect(text).toContain('authorization');
      expect(text).not.toContain('canary-6f1d');
    }
  });

  it('answers 404 for what never was, and the same again for what is revoked already', async () => {
    await start();
    for (const upstream of ['files', 'No%20Name', '..%2fx']) {
      const answer = await as('admin').delete(`/admin/credentials/static/${upstream}`);
      expect([answer.status, answer.body.error.code]).toEqual([404, 'WDR_CREDENTIAL_UNKNOWN']);
    }
    await put('files', header);
    const first = await as('admin').delete('/admin/credentials/static/files');
    const second = await as('admin').delete('/admin/credentials/static/files');
    expect(second.body).toEqual(first.body);
  });

  it('refuses a credential that could change how a message travels, without repeating its value', async () => {
    await start();
    for (const body of [
      { ...header, name: 'Host' },
      { ...header, name: 'Mcp-Session-Id' },
      { ...header, value: `${CANARY}\r\nx: y` },
      { ...header, extra: CANARY },
      { kind: 'environment', name: 'LD_PRELOAD', value: CANARY },
      { kind: 'command', name: 'x', value: CANARY },
    ]) {
      const answer = await put('files', body);
      expect([answer.status, answer.body.error.code]).toEqual([400, 'WDR_BODY_INVALID']);
      expect(answer.text).not.toContain('canary-6f1d');
    }
    expect((await as('admin').get('/admin/credentials/static')).body.credentials).toEqual([]);
  });

  it('refuses a credential for what is built in, which no node would present', async () => {
    await start();
    const answer = await put('audit', { kind: 'header', name: 'authorization', value: CANARY });
    expect([answer.status, answer.body.error.code]).toEqual([409, 'WDR_UPSTREAM_BUILT_IN']);
    expect((await as('auditor').get('/admin/credentials/static')).body.credentials).toEqual([]);
  });

  it('is changed by administrators only', async () => {
    await start();
    const anonymous = await request(running?.url ?? '').get('/admin/credentials/static');
    expect([anonymous.status, anonymous.body.error.code]).toEqual([401, 'WDR_TOKEN_MISSING']);
    const auditor = await as('auditor').put('/admin/credentials/static/files').send(header);
    expect([auditor.status, auditor.body.error.code]).toEqual([403, 'WDR_ROLE_MISSING']);
    expect((await as('auditor').delete('/admin/credentials/static/files')).status).toBe(403);
  });

  it('answers 503 and changes nothing when the secret cannot be written', async () => {
    await start();
    rmSync(places().dir, { recursive: true });
    writeFileSync(places().dir, 'in the way');
    const answer = await put('files', header);
    expect([answer.status, answer.body.error.code]).toEqual([503, 'WDR_SECRET_STORE_UNAVAILABLE']);
    expect((await as('admin').get('/admin/credentials/static')).body.credentials).toEqual([]);
  });

  it('publishes every state again at the next start, and removes a secret that a revocation left', async () => {
    await start();
    await put('files', header);
    await put('mail', header);
    await as('admin').delete('/admin/credentials/static/files');
    await vi.waitFor(() => expect(states).toHaveLength(3));
    await stopAll();
    await createKeyringStore(places()).put('static/files', 'left behind');
    await startBus();
    await start();
    await vi.waitFor(() =>
      expect(states.map((each) => `${each.id} ${each.version} ${each.status}`)).toEqual([
        'static/files 2 revoked',
        'static/mail 1 active',
      ]),
    );
    expect(await createKeyringStore(places()).list()).toEqual(['static/mail']);
  });

  it('answers 409 when other processes are faster each time, and changes nothing', async () => {
    await start();
    await put('files', header);
    const source = running!.app.get<DataSource>(getDataSourceToken('credentials'));
    const real = createKeyringStore(places());
    const meddled: NamedSecrets = {
      ...bound(real),
      put: async (name, value, expected) => {
        const version = await real.put(name, value, expected);
        await source.query('UPDATE credentials.static_credential SET version = version + 1');
        return version;
      },
    };
    const store = new StaticCredentialsStore(source, running!.app.get(Outbox), meddled, Date.now, () => undefined);
    const by = { principalId: 'usr_admin', tokenId: 'pat_admin' } as unknown as AdminActor;
    await expect(store.put('files', { kind: 'header', name: 'x-key', value: 'lost' }, by)).rejects.toMatchObject({
      status: 409,
      code: 'WDR_CREDENTIAL_CHANGED',
    });
    const list = await as('admin').get('/admin/credentials/static');
    expect(list.body.credentials).toMatchObject([{ upstream: 'files', name: 'authorization' }]);
  });

  it('does not start without its keyring unless told to make one', async () => {
    await expect(start({ create: false })).rejects.toThrow(/^secrets: keyring .*ENOENT/);
  });
});

describe('what is refused', () => {
  const flush = () => running!.app.get(AdminAccess).refused.flush();
  const refused = () =>
    records
      .map((text) => JSON.parse(text) as AuditRecord)
      .filter(({ method }) => method === 'admin/credentials/request.refuse');

  it('is on record: whom, on which route, with which code, and never the value', async () => {
    await start();
    await put('files', { ...header, kind: 'none' });
    await put('files', { ...header, [CANARY]: 1 });
    await as('admin').delete('/admin/credentials/static/files');
    await put('files', { ...header, value: CANARY.repeat(5_000) });
    await flush();
    await vi.waitFor(() => expect(refused()).toHaveLength(4));
    expect(refused().map(({ refusal, personal }) => [refusal?.code, personal?.arguments])).toMatchObject([
      ['WDR_BODY_INVALID', { value: { method: 'PUT', route: '/admin/credentials/static/:upstream' } }],
      ['WDR_BODY_INVALID', { value: { method: 'PUT', route: '/admin/credentials/static/:upstream' } }],
      ['WDR_CREDENTIAL_UNKNOWN', { value: { method: 'DELETE', route: '/admin/credentials/static/:upstream' } }],
      ['WDR_BODY_TOO_LARGE', { value: { method: 'PUT', route: '/admin/credentials/static/:upstream' } }],
    ]);
    for (const { principal, decision, outcome } of refused())
      expect([principal?.id, decision, outcome]).toEqual(['usr_admin', 'permit', 'failure']);
    expect(records.join()).not.toContain('canary-6f1d');
  });

  it('leaves a bounded number of records however much there is of it', async () => {
    await start();
    for (let n = 0; n < 100; n += 1) await as('admin').delete(`/admin/credentials/static/files${n}`);
    await flush();
    await vi.waitFor(() => expect(refused().reduce((sum, { count }) => sum + count, 0)).toBe(100));
    // Twenty of one caller and one for the rest of its code, of each of the two windows that it may fall into.
    expect(refused().length).toBeLessThanOrEqual(42);
  });
});
