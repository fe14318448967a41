import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { grantLease } from '@warder/leases';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually, IngressScene, oneRecord } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

const CANARY = 's3cr3t-canary-71fa';
const SECRET = { version: 1, kind: 'headers' as const, name: 'x-api-key', value: CANARY };
/** Short, so that no push of the clock makes the node think that identity is silent. */
const LEASE_MS = 60_000;

const scenes: IngressScene[] = [];
const upstreams: FixtureUpstream[] = [];

afterEach(async () => {
  for (const scene of scenes.splice(0)) await scene.stop();
  for (const upstream of upstreams.splice(0)) await upstream.close();
});

async function started(leases: object = {}) {
  const upstream = await startFixtureUpstream();
  upstreams.push(upstream);
  const scene = new IngressScene();
  scenes.push(scene);
  await scene.start(
    {
      upstreams: { fixture: { transport: { kind: 'streamable-http', url: upstream.url }, allowPrivateAddress: true } },
      virtualServers: { dev: { tools: [{ upstream: 'fixture', tool: '*' }] } },
      grants: [{ name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['*/*'] }],
    },
    { leases: { identityFile: join(scene.dir, 'identity.key'), ...scene.credentials.leasesConfig, ...leases } },
  );
  const client = new WireClient(scene, 'modern', await scene.token('ana'));
  await scene.untilListed(client, 'fixture__echo');
  const call = (tool = 'echo', args: Record<string, unknown> = {}) => client.call(`fixture__${tool}`, args);
  return { scene, upstream, client, call, credentials: scene.credentials };
}

type Started = Awaited<ReturnType<typeof started>>;

/** What the upstream was sent under the header, as it tells; the agent does not get a credential back. */
const sent = async ({ call }: Started) => (await call('headers')).text;
const REDACTED = String.raw`\"x-api-key\":\"[redacted:secret.upstream-credential]\"`;
const codeOf = (text: string) => /WDR_[A-Z_]+/.exec(text)?.[0];

async function leased(leases: object = {}): Promise<Started> {
  const all = await started(leases);
  all.credentials.leaseMs = LEASE_MS;
  await all.credentials.put('fixture', 'x-api-key', CANARY);
  await eventually(async () => (await sent(all)).includes(REDACTED));
  return all;
}

describe('a leased credential', () => {
  it('goes up and nowhere else; once revoked the call is refused rather than sent without: WDR_CREDENTIAL_MISSING', async () => {
    const all = await leased();
    const { scene, call, upstream, credentials } = all;
    await eventually(() => upstream.listening() === 1);
    const running = call('slow', { ms: 60_000, nonce: 'under-it' });
    await eventually(() => upstream.executed().some(({ nonce }) => nonce === 'under-it'));
    await credentials.revoke('fixture');
    // What runs under it ends, and the record does not claim to know how.
    expect((await running).text).toContain('WDR_CREDENTIAL_MISSING');
    const cut = await oneRecord(scene, (record) => JSON.stringify(record.personal?.arguments).includes('under-it'));
    expect(cut).toMatchObject({ outcome: 'unknown', refusal: { code: 'WDR_CREDENTIAL_MISSING' } });
    // The stream on which it told of changes was opened with the credential, and ends with it.
    await eventually(() => upstream.listening() === 0);
    const before = upstream.executed().length;
    expect(messageOf(await call())).toMatchObject({
      result: { isError: true, _meta: { 'warder/code': 'WDR_CREDENTIAL_MISSING' } },
    });
    expect(upstream.executed()).toHaveLength(before);
  });

  it('stands in no file of the node and in no record, while it is in use', async () => {
    const { scene, call } = await leased();
    await oneRecord(scene, ({ tool, outcome }) => tool === 'headers' && outcome === 'success');
    await call('echo', { text: 'x' });
    const files = readdirSync(scene.dir, { recursive: true, encoding: 'utf8' }).map((file) => join(scene.dir, file));
    const read = files.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file));
    expect(read.length).toBeGreaterThan(1);
    for (const bytes of read) expect(bytes.includes(CANARY)).toBe(false);
    expect(JSON.stringify(scene.records)).not.toContain(CANARY);
    expect(statSync(join(scene.dir, 'identity.key')).mode & 0o777).toBe(0o600);
  });

  it('is asked for once, however many calls wait for it', async () => {
    const all = await started();
    const { call, credentials } = all;
    credentials.isAnswering = false;
    await credentials.put('fixture', 'x-api-key', CANARY);
    const calls = Array.from({ length: 20 }, () => call());
    const [request] = await eventually(() => (credentials.asked.length > 0 ? credentials.asked : undefined));
    await credentials.send(credentials.grantOf(request!));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(credentials.asked).toHaveLength(1);
  });

  it('is refused when it does not come in time, and taken when it comes: WDR_LEASE_UNAVAILABLE', async () => {
    const all = await started({ coldWaitMs: 200 });
    const { call, upstream, credentials } = all;
    credentials.isAnswering = false;
    await credentials.put('fixture', 'x-api-key', CANARY);
    const refused = await call();
    expect([refused.status, codeOf(refused.text), refused.headers['retry-after']]).toEqual([
      503,
      'WDR_LEASE_UNAVAILABLE',
      '1',
    ]);
    expect(upstream.executed()).toEqual([]);
    credentials.isAnswering = true;
    await eventually(async () => (await sent(all)).includes(REDACTED));
  });

  it('goes on to its end while credentials is away, and no further', async () => {
    const { scene, call, credentials } = await leased({ coldWaitMs: 100 });
    credentials.isAnswering = false;
    scene.clock.push(50_000);
    expect((await call()).status).toBe(200);
    scene.clock.push(10_000);
    expect(codeOf((await call()).text)).toBe('WDR_LEASE_UNAVAILABLE');
  });

  it('is renewed ahead of its end while it is used', async () => {
    const all = await leased({ idleMs: 70_000 });
    const { scene, call, credentials } = all;
    const asked = credentials.asked.length;
    scene.clock.push(45_000);
    await call();
    await eventually(() => credentials.asked.length > asked);
    scene.clock.push(45_000);
    expect((await call()).status).toBe(200);
    await eventually(() => credentials.asked.length > asked + 1);
    await eventually(async () => (await sent(all)).includes(REDACTED));
  });

  it('is followed by the next one that is sent unasked, without a call that waits', async () => {
    const all = await leased();
    const { credentials, call } = all;
    const [request] = credentials.asked.slice(-1);
    credentials.isAnswering = false;
    await credentials.put('fixture', 'x-other-key', 'another-canary-8b');
    await credentials.send(credentials.grantOf(request!));
    await eventually(async () => (await sent(all)).includes('x-other-key'));
    expect((await sent(all)).includes('another-canary-8b')).toBe(false);
    expect((await call()).status).toBe(200);
  });
});

describe('what is not believed', () => {
  /** A node that waits for a lease, and the request of it. */
  async function waiting() {
    const all = await started({ coldWaitMs: 2_000 });
    all.credentials.isAnswering = false;
    await all.credentials.put('fixture', 'x-api-key', CANARY);
    const running = all.call('headers');
    const [request] = await eventually(() => (all.credentials.asked.length > 0 ? all.credentials.asked : undefined));
    return { ...all, running, request: request! };
  }

  it('is a lease that another signed, was altered, is for another node, or that nobody asked for', async () => {
    const { credentials, running, request, upstream } = await waiting();
    const good = credentials.grantOf(request);
    const other = generateKeyPairSync('ed25519').privateKey;
    await credentials.send(credentials.grantOf(request, { value: 'of-the-broker' }, other));
    await credentials.send({ ...good, lease: { ...good.lease!, expiresAtMs: good.lease!.expiresAtMs + 1 } });
    await credentials.send({ ...good, node: 'ingress-2' });
    await credentials.send(credentials.grantOf({ ...request, requestId: 'never-asked' }));
    await credentials.send(credentials.grantOf({ ...request, connectionId: 'static/fixture2' }, { ...SECRET }));
    expect(codeOf((await running).text)).toBe('WDR_LEASE_UNAVAILABLE');
    expect(upstream.executed()).toEqual([]);
  });

  it('is a lease that ended, lasts too long, is of another hour, or is older than the connection', async () => {
    const { scene, credentials, running, request } = await waiting();
    const nowMs = scene.clock.wallMs();
    const send = (issuedAtMs: number, expiresAtMs: number, version = 1) =>
      credentials.send(
        grantLease(
          request,
          {
            version,
            generation: version,
            issuedAtMs,
            expiresAtMs,
            credential: { kind: 'headers', values: { 'x-api-key': CANARY } },
          },
          credentials.signer,
          nowMs,
        ),
      );
    await send(nowMs - 30_000, nowMs - 1);
    await send(nowMs, nowMs + 900_001);
    await send(nowMs - 61_000, nowMs + 10_000);
    await send(nowMs + 61_000, nowMs + 70_000);
    await credentials.put('fixture', 'x-api-key', CANARY);
    await send(nowMs, nowMs + 60_000, 1);
    expect(codeOf((await running).text)).toBe('WDR_LEASE_UNAVAILABLE');
  });

  it('is a lease that was taken before and is sent again after the revocation', async () => {
    const all = await leased({ coldWaitMs: 200 });
    const { credentials, call } = all;
    const [request] = credentials.asked.slice(-1);
    const replayed = credentials.grantOf(request!);
    await credentials.revoke('fixture');
    await credentials.send(replayed);
    expect(codeOf((await call()).text)).toBe('WDR_CREDENTIAL_MISSING');
    credentials.isAnswering = false;
    await credentials.put('fixture', 'x-api-key', 'another');
    await credentials.send(replayed);
    expect(codeOf((await call()).text)).toBe('WDR_LEASE_UNAVAILABLE');
  });
});

it('starves a node that was revoked, which says so', async () => {
  const all = await leased({ coldWaitMs: 200 });
  const { scene, call, credentials } = all;
  await credentials.endNode('ingress-1');
  const ready = async () => (await scene.send('/readyz', { method: 'GET' })).text;
  await eventually(async () => (await ready()).includes('not enrolled'));
  expect((await call()).status).toBe(200);
  scene.clock.push(61_000);
  expect(codeOf((await call()).text)).toBe('WDR_LEASE_UNAVAILABLE');
});
