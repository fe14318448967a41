import { join } from 'node:path';
import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, IngressScene, oneRecord } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';

const PEOPLE = ['ana', 'ben', 'cleo'] as const;

let upstream: FixtureUpstream;
let scene: IngressScene;
let clients: Record<(typeof PEOPLE)[number], WireClient>;

const isThere = (nonce: string) => upstream.executed().some((act) => act.nonce === nonce);
const slow = (who: (typeof PEOPLE)[number], nonce: string, meta: object = {}) =>
  clients[who].ask('tools/call', { name: 'fixture__slow', arguments: { ms: 60_000, nonce }, _meta: meta });

beforeAll(async () => {
  upstream = await startFixtureUpstream();
  scene = new IngressScene();
  await scene.start(
    {
      upstreams: { fixture: { transport: { kind: 'streamable-http', url: upstream.url }, allowPrivateAddress: true } },
      virtualServers: { dev: { tools: [{ upstream: 'fixture', tool: '*' }] } },
      grants: [{ name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['*/*'] }],
    },
    { leases: { identityFile: join(scene.dir, 'identity.key'), ...scene.credentials.leasesConfig } },
  );
  const made = PEOPLE.map(async (who) => {
    await scene.publishPrincipal(who, ['developers']);
    return [who, new WireClient(scene, 'modern', await scene.token(who))] as const;
  });
  clients = Object.fromEntries(await Promise.all(made)) as typeof clients;
  await scene.credentials.takeAccounts('fixture');
  for (const who of PEOPLE) await scene.credentials.connect('fixture', who, `Bearer of-${who}`);
  // Whoever comes first has the tools listed with their account, and the stream of changes too.
  await scene.untilListed(clients.ana, 'fixture__echo');
  await eventually(() => upstream.listening() === 1);
});
afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
});

describe.each([
  { who: 'ana', status: 'disconnected' },
  { who: 'ben', status: 'revoked' },
] as const)('an account that is $status', ({ who, status }) => {
  it('takes what runs under it along, streams included, and nobody else’s', async () => {
    const nonces = ['one', 'stream'].map((each) => `${who}-${each}`);
    const others = `cleo-beside-${who}`;
    const [one, stream] = [slow(who, nonces[0]!), slow(who, nonces[1]!, { progressToken: 'p' })];
    let isOver = false;
    const beside = slow('cleo', others).then(() => (isOver = true));
    await eventually(() => [...nonces, others].every(isThere));
    await scene.credentials.end(who, status);
    for (const answer of [await one, await stream]) expect(answer.text).toContain('WDR_CREDENTIAL_MISSING');
    // The upstream is told, so that it does not go on with what nobody is allowed any more.
    await eventually(() => nonces.every((nonce) => upstream.cancelled.includes(nonce)));
    for (const nonce of nonces) {
      const record = await oneRecord(scene, ({ personal }) => JSON.stringify(personal?.arguments).includes(nonce));
      expect(record).toMatchObject({ outcome: 'unknown', refusal: { code: 'WDR_CREDENTIAL_MISSING' } });
    }
    expect([isOver, upstream.cancelled.includes(others)]).toEqual([false, false]);
    expect(messageOf(await clients[who].call('fixture__echo', {}))).toMatchObject({
      result: { isError: true, _meta: { 'warder/code': 'WDR_CREDENTIAL_MISSING' } },
    });
    beside.catch(() => {});
  });
});

it('ends the stream of changes that was opened with an account, and has another person’s take its place', async () => {
  // Ana's, with which it was opened, is gone by now.
  await eventually(async () => {
    await clients.cleo.ask('tools/list', {});
    return upstream.listening() === 1;
  });
  await scene.credentials.end('cleo', 'disconnected');
  await eventually(() => upstream.listening() === 0);
  expect(messageOf(await clients.cleo.call('fixture__echo', {})).result).toMatchObject({ isError: true });
});
