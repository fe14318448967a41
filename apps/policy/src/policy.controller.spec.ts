import { AdminAccess } from '@warder/admin-access';
import { createInProcessBus, type Bus } from '@warder/bus';
import {
  type AuditRecord,
  auditRecordedTopic,
  type PolicySnapshot,
  policySnapshotTopic,
  principalStateTopic,
  tokenStateTopic,
  toolDefinitionDiscoveredTopic,
} from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
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
import { policyService } from './index.js';

const PEPPER = 'a-pepper-of-thirty-two-characters-and-more';
const clock = { wallMs: () => Date.now(), monotonicMs: () => performance.now() };
const log = createLogger('test', { level: 'silent' });
const DOCUMENT = {
  upstreams: { files: { transport: { kind: 'stdio', entry: 'files' } } },
  virtualServers: { dev: { tools: [{ upstream: 'files', tool: '*' }] } },
  grants: [{ name: 'developers', effect: 'permit', to: { group: 'developers' }, tools: ['files/read'] }],
};

let database: EmbeddedPostgres;
let bus: Bus;
let running: RunningHost | undefined;
let directory: string;
const bearers = { admin: issueToken(randomBytes), auditor: issueToken(randomBytes), member: issueToken(randomBytes) };
let snapshots: PolicySnapshot[];
let records: string[];
let refused: AuditRecord[];

beforeAll(async () => {
  database = await startEmbeddedPostgres({ ephemeral: true });
  directory = mkdtempSync(join(tmpdir(), 'warder-policy-'));
});
afterAll(async () => {
  await database.stop();
  rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  await query('DROP SCHEMA IF EXISTS policy CASCADE');
  await startBus();
});
afterEach(async () => {
  await stopAll();
});

async function query(statement: string): Promise<void> {
  const source = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await source.query(statement);
  await source.destroy();
}

async function startBus(): Promise<void> {
  bus = createInProcessBus({ node: 'n1', log, clock });
  snapshots = [];
  records = [];
  refused = [];
  await bus.watch(policySnapshotTopic, 'beginning', ({ value }) => snapshots.push(value));
  await bus.subscribe(auditRecordedTopic, 'test', async ({ value }) => {
    records.push(`${value.method} by ${value.principal?.id ?? 'the service'}`);
    if (value.method === 'admin/policy/request.refuse') refused.push(value);
  });
  await bus.own(principalStateTopic);
  await bus.own(tokenStateTopic);
  for (const [role, bearer] of Object.entries(bearers)) {
    const id = `usr_${role}`;
    const principal = { ...principalStateTopic.example, version: 1, id, email: `${role}@example.com` };
    const roles = [role as keyof typeof bearers];
    await bus.publish(principalStateTopic, id, { ...principal, groups: ['developers'], roles });
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

async function start(config: object = {}): Promise<void> {
  const pepper = { current: 'p1', keys: { p1: PEPPER } };
  running = await startServiceForTest(
    policyService,
    { database: { url: database.url }, pepper, ...config },
    { bus, clock },
  );
  await vi.waitFor(async () => expect((await as('admin').get('/admin/policy')).status).toBe(200));
}

const as = (role: keyof typeof bearers) =>
  request.agent(running?.url ?? '').set('authorization', `Bearer ${bearers[role]}`);
const put = (document: object, ifMatch: string, query = '') =>
  as('admin').put(`/admin/policy${query}`).set('if-match', ifMatch).send(document);

describe('GET and PUT /admin/policy', () => {
  it('starts with a first version that permits nothing, and publishes it', async () => {
    await start();
    const answer = await as('auditor').get('/admin/policy');
    expect(answer.body).toMatchObject({ version: 1, origin: 'initial', document: { grants: [], upstreams: {} } });
    expect(answer.headers['etag']).toBe('"1"');
    await vi.waitFor(() => expect(snapshots.map((each) => each.version)).toEqual([1]));
  });

  it('replaces the whole document, answers its version, publishes one snapshot and one record', async () => {
    await start();
    const answer = await put(DOCUMENT, '"1"');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ version: 2 });
    expect(answer.headers['etag']).toBe('"2"');
    await vi.waitFor(() => expect(snapshots.at(-1)).toMatchObject({ version: 2, document: DOCUMENT }));
    await vi.waitFor(() => expect(records.at(-1)).toBe('admin/policy/policy.replace by usr_admin'));
    expect((await put({}, '"2"')).body).toEqual({ version: 3 });
    expect((await as('admin').get('/admin/policy')).body.document.grants).toEqual([]);
  });

  it('lets one of two that saw the same version win', async () => {
    await start();
    const answers = await Promise.all([put(DOCUMENT, '"1"'), put({}, '"1"'), put(DOCUMENT, '"1"')]);
    expect(answers.map((each) => each.status).toSorted((a, b) => a - b)).toEqual([200, 412, 412]);
    expect(answers.find((each) => each.status === 412)?.body.error.code).toBe('WDR_VERSION_MISMATCH');
    expect((await as('admin').put('/admin/policy').send({})).body.error.code).toBe('WDR_IF_MATCH_REQUIRED');
  });

  it('refuses a document that no message can carry, and says so while there is none', async () => {
    await start();
    const server = { tools: [], description: 'd'.repeat(1_000) };
    const virtualServers = Object.fromEntries(Array.from({ length: 7_500 }, (_, at) => [`server-${at}`, server]));
    const tooLarge = await put({ virtualServers }, '"1"');
    expect([tooLarge.status, tooLarge.body.error.code]).toEqual([413, 'WDR_POLICY_TOO_LARGE']);
    await query('DELETE FROM policy.policy_version');
    const none = await as('admin').get('/admin/policy');
    expect([none.status, none.body.error.code]).toEqual([503, 'WDR_POLICY_NOT_READY']);
  });

  it('refuses what is not a policy, naming the key, and changes nothing', async () => {
    await start();
    const wrong = await put({ ...DOCUMENT, grantz: [] }, '"1"');
    expect([wrong.status, wrong.body.error]).toEqual([
      400,
      { code: 'WDR_BODY_INVALID', message: 'grantz: unknown key' },
    ]);
    const dangling = await put({ ...DOCUMENT, upstreams: {} }, '"1"');
    expect([dangling.status, dangling.body.error.code]).toEqual([400, 'WDR_POLICY_INVALID']);
    expect(dangling.body.error.message).toBe(
      'virtualServers.dev.tools.0.upstream: unknown upstream "files"; grants.0.tools.0: unknown upstream "files"',
    );
    expect((await as('admin').get('/admin/policy')).body.version).toBe(1);
  });

  it('waits until every ingress node applied the version, and says when one did not in time', async () => {
    await start();
    await bus.replica(policySnapshotTopic, (_key, value) => {
      if (value.version === 2) bus.applied(policySnapshotTopic, value.version);
    });
    expect((await put(DOCUMENT, '"1"', '?wait=5000')).body).toEqual({ version: 2, appliedEverywhere: true });
    expect((await put({}, '"2"', '?wait=50')).body).toEqual({ version: 3, appliedEverywhere: false });
    expect((await put({}, '"3"', '?wait=-1')).status).toBe(400);
  });

  it('keeps text that a jsonb column would refuse', async () => {
    await start();
    const description = 'nul \0 and lone \ud800';
    const document = { ...DOCUMENT, virtualServers: { dev: { description, tools: [] } } };
    expect((await put(document, '"1"')).status).toBe(200);
    expect((await as('admin').get('/admin/policy')).body.document.virtualServers.dev.description).toBe(description);
  });

  it('is changed by administrators only, and read by auditors too', async () => {
    await start();
    const anonymous = await request(running?.url ?? '').get('/admin/policy');
    expect([anonymous.status, anonymous.body.error.code]).toEqual([401, 'WDR_TOKEN_MISSING']);
    const member = await as('member').get('/admin/policy');
    expect([member.status, member.body.error.code]).toEqual([403, 'WDR_ROLE_MISSING']);
    const auditor = await as('auditor').put('/admin/policy').set('if-match', '"1"').send({});
    expect([auditor.status, auditor.body.error.code]).toEqual([403, 'WDR_ROLE_MISSING']);
  });

  it('answers 503 while the database is away', async () => {
    const other = await startEmbeddedPostgres({ ephemeral: true });
    await start({ database: { url: other.url } });
    await other.stop();
    for (const answer of [await as('admin').get('/admin/policy'), await put(DOCUMENT, '"1"')])
      expect([answer.status, answer.body.error.code]).toEqual([503, 'WDR_STORE_UNAVAILABLE']);
  });

  it('publishes the version in force again at the next start, never a lower one', async () => {
    await start();
    await put(DOCUMENT, '"1"');
    await vi.waitFor(() => expect(snapshots.at(-1)?.version).toBe(2));
    await stopAll();
    await startBus();
    await start();
    await vi.waitFor(() => expect(snapshots.map((each) => each.version)).toEqual([2]));
  });

  it('takes changes while the bus is away, and publishes them at the next start', async () => {
    await start();
    await vi.waitFor(() => expect(snapshots).toHaveLength(1));
    await bus.close();
    expect((await put(DOCUMENT, '"1"')).body).toEqual({ version: 2 });
    await stopAll();
    await startBus();
    await start();
    await vi.waitFor(() => expect(snapshots.map((each) => each.version)).toEqual([2, 2]));
    await vi.waitFor(() => expect(records).toContain('admin/policy/policy.replace by usr_admin'));
  });
});

describe('a policy file', () => {
  const fileOf = (text: string) => {
    const file = join(directory, 'warder.yaml');
    writeFileSync(file, text);
    return file;
  };

  it('is the whole truth: applied at start, absent items removed, PUT refused, versions going on', async () => {
    await start();
    await put(DOCUMENT, '"1"');
    await stopAll();
    await startBus();
    const policyFile = fileOf('upstreams: { mail: { transport: { kind: stdio, entry: mail } } }\n');
    await start({ policyFile });
    const answer = await as('admin').get('/admin/policy');
    expect(answer.body).toMatchObject({ version: 3, origin: 'file', document: { virtualServers: {}, grants: [] } });
    expect(Object.keys(answer.body.document.upstreams)).toEqual(['mail']);
    const refused = await put(DOCUMENT, '"3"');
    expect([refused.status, refused.body.error.code]).toEqual([409, 'WDR_POLICY_FROM_FILE']);
    await vi.waitFor(() => expect(records).toContain('admin/policy/policy.replace by the service'));
    await stopAll();
    await startBus();
    await start({ policyFile });
    expect((await as('admin').get('/admin/policy')).body.version).toBe(3);
  });

  it('that is wrong keeps the service from starting, naming file, line and key', async () => {
    const policyFile = fileOf(
      'upstreams: {}\ngrants:\n  - { name: x, effect: permit, to: { group: g }, tools: [a/b] }\n',
    );
    await expect(start({ policyFile })).rejects.toThrow(`${policyFile}:3: grants.0.tools.0: unknown upstream "a"`);
    await expect(start({ policyFile: join(directory, 'absent.yaml') })).rejects.toThrow(/absent\.yaml: cannot be read/);
  });
});

describe('POST /admin/policy/explain and the views', () => {
  beforeEach(async () => {
    await start();
    await put(DOCUMENT, '"1"');
    const tools = ['read', 'write'].map((name) => ({ hash: name, definition: { name, inputSchema: {} } }));
    const catalogue = { ...toolDefinitionDiscoveredTopic.example, upstream: 'files', tools };
    await bus.publish(toolDefinitionDiscoveredTopic, 'files', catalogue);
  });
  const explain = (body: object) => as('auditor').post('/admin/policy/explain').send(body);

  it('says why a principal may and may not call a tool, by id or address, exposed or canonical name', async () => {
    const permit = await explain({ principal: 'MEMBER@example.com', virtualServer: 'dev', tool: 'files__read' });
    expect(permit.status).toBe(200);
    expect(permit.body).toMatchObject({ decision: 'permit', rule: 'developers', tool: 'files/read', policyVersion: 2 });
    const forbid = await explain({
      principal: 'usr_member',
      virtualServer: 'dev',
      tool: 'files/write',
      tokenId: 'pat_member',
    });
    expect(forbid.body).toMatchObject({ decision: 'forbid', rule: 'default deny', exposedNames: ['files__write'] });
  });

  it('answers 404 for what does not exist, and for a token of another principal', async () => {
    const codes = [
      await explain({ principal: 'nobody', tool: 'files/read' }),
      await explain({ principal: 'usr_member', virtualServer: 'prod', tool: 'files/read' }),
      await explain({ principal: 'usr_member', tool: 'files/read', tokenId: 'pat_admin' }),
      await explain({ principal: 'usr_member' }),
    ].map((answer) => `${answer.status} ${answer.body.error.code}`);
    expect(codes).toEqual([
      '404 WDR_PRINCIPAL_UNKNOWN',
      '404 WDR_VIRTUAL_SERVER_UNKNOWN',
      '404 WDR_TOKEN_NOT_FOUND',
      '400 WDR_BODY_INVALID',
    ]);
  });

  it('shows upstreams with what was discovered, and virtual servers with what they expose', async () => {
    const upstreams = await as('auditor').get('/admin/policy/upstreams');
    expect(upstreams.body.upstreams).toMatchObject([
      {
        name: 'files',
        isBuiltIn: false,
        prefix: 'files',
        virtualServers: ['dev'],
        catalogue: { tools: [{ name: 'read' }, { name: 'write' }] },
      },
      { name: 'audit', isBuiltIn: true, transport: { kind: 'built-in' }, virtualServers: ['audit'], catalogue: null },
    ]);
    const servers = await as('auditor').get('/admin/policy/virtual-servers');
    expect(servers.body.virtualServers).toMatchObject([
      {
        name: 'dev',
        tools: [{ exposedName: 'files__read', tool: 'files/read' }, {}],
        isBuiltIn: false,
        missingUpstreams: [],
        collisions: [],
      },
      { name: 'audit', isBuiltIn: true, tools: [], missingUpstreams: ['audit'] },
    ]);
  });
});

describe('what is refused', () => {
  const flush = () => running!.app.get(AdminAccess).refused.flush();

  it('is on record: whom, on which route, with which code, and nothing of the body', async () => {
    await start();
    await put({ canary: 'hidden-7c' }, '"1"');
    const question = { principal: 'usr_none', virtualServer: 'none', tool: 'none' };
    await as('auditor').post('/admin/policy/explain').send(question);
    await put(DOCUMENT, '"9"');
    const server = { tools: [], description: 'd'.repeat(1_000) };
    const virtualServers = Object.fromEntries(Array.from({ length: 7_500 }, (_, at) => [`server-${at}`, server]));
    await put({ virtualServers }, '"1"');
    await flush();
    await vi.waitFor(() => expect(refused).toHaveLength(4));
    expect(
      refused.map(({ principal, refusal, personal }) => [principal?.id, refusal?.code, personal?.arguments]),
    ).toMatchObject([
      ['usr_admin', 'WDR_BODY_INVALID', { value: { method: 'PUT', route: '/admin/policy' } }],
      ['usr_auditor', 'WDR_VIRTUAL_SERVER_UNKNOWN', { value: { method: 'POST', route: '/admin/policy/explain' } }],
      ['usr_admin', 'WDR_VERSION_MISMATCH', { value: { method: 'PUT', route: '/admin/policy' } }],
      ['usr_admin', 'WDR_POLICY_TOO_LARGE', { value: { method: 'PUT', route: '/admin/policy' } }],
    ]);
    expect(new Set(refused.map(({ decision, outcome }) => `${decision} ${outcome}`))).toEqual(
      new Set(['permit failure']),
    );
    expect(JSON.stringify(refused)).not.toMatch(/hidden-7c|d{100}/);
  });

  it('leaves a bounded number of records however much there is of it', async () => {
    await start();
    for (let n = 0; n < 100; n += 1)
      await put({ ...DOCUMENT, grants: [{ ...DOCUMENT.grants[0], tools: [`none${n}/*`] }] }, '"1"');
    await flush();
    await vi.waitFor(() => expect(refused.reduce((sum, { count }) => sum + count, 0)).toBe(100));
    // Twenty of one caller and one for the rest of its code, of each of the two windows that it may fall into.
    expect(refused.length).toBeLessThanOrEqual(42);
  });
});
