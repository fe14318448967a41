import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IngressScene, oneRecord } from './ingress.scene.js';
import { messageOf, WireClient } from './wire-client.scene.js';
import { CALL_PHASES } from './pipeline/phase-clock.js';

let upstream: FixtureUpstream;
let legacyUpstream: FixtureUpstream;
let scene: IngressScene;
let anaToken: string;

const policyFor = (modern: string, legacy: string) => ({
  upstreams: {
    fixture: { transport: { kind: 'streamable-http' as const, url: modern }, allowPrivateAddress: true },
    elder: { transport: { kind: 'streamable-http' as const, url: legacy }, allowPrivateAddress: true },
  },
  virtualServers: {
    dev: {
      tools: [
        { upstream: 'fixture', tool: '*' },
        { upstream: 'elder', tool: '*' },
      ],
    },
  },
  grants: [
    { name: 'developers', effect: 'permit' as const, to: { group: 'developers' }, tools: ['fixture/*', 'elder/echo'] },
    { name: 'no-add', effect: 'forbid' as const, to: { group: 'developers' }, tools: ['fixture/add'] },
  ],
});

beforeAll(async () => {
  upstream = await startFixtureUpstream({ era: 'modern' });
  legacyUpstream = await startFixtureUpstream({ era: 'legacy' });
  scene = await new IngressScene().start(policyFor(upstream.url, legacyUpstream.url));
  anaToken = await scene.token('ana');
  const client = new WireClient(scene, 'modern', anaToken);
  await scene.untilListed(client, 'fixture__echo', 'elder__echo');
});

afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
  await legacyUpstream?.close();
});

const recordOf = (nonce: string) =>
  oneRecord(scene, (record) => JSON.stringify(record.personal?.arguments).includes(`"${nonce}"`));

describe.each(['modern', 'legacy'] as const)('a %s client', (era) => {
  it('greets, lists exactly what it may call, and calls it on an upstream of either era', async () => {
    const client = await new WireClient(scene, era, anaToken).open();
    const listed = messageOf(await client.ask('tools/list'));
    const names = listed.result?.tools?.map((tool) => tool.name);
    expect(names).toContain('fixture__echo');
    expect(names).toContain('elder__echo');
    expect(names).not.toContain('fixture__add');
    for (const name of ['fixture__echo', 'elder__echo']) {
      const answer = messageOf(await client.call(name, { text: `hi ${era}` }));
      expect(answer.result?.content).toEqual([{ type: 'text', text: `hi ${era}` }]);
    }
  });

  it('is told the same of an unknown and of a forbidden tool, to the byte, for the same quota', async () => {
    const client = await new WireClient(scene, era, anaToken).open();
    const ask = (name: string) => client.call(name, {});
    const forbidden = await ask('fixture__add');
    const unknown = await ask('fixture__adx');
    const bare = (answer: typeof unknown) => ({ ...answer, headers: { ...answer.headers, date: '' } });
    const renamed = (text: string) => text.replace('adx', 'add').replace(/"id":\d+/, '"id":0');
    expect({ ...bare(unknown), text: renamed(unknown.text) }).toEqual({
      ...bare(forbidden),
      text: renamed(forbidden.text),
    });
    expect(messageOf(forbidden)).toMatchObject({ error: { code: -32602, message: 'Unknown tool: fixture__add' } });
  });

  it('gets secrets redacted, and the record holds none either', async () => {
    const client = await new WireClient(scene, era, anaToken).open();
    const answer = await client.call('fixture__secret', { where: 'text', nonce: `leak-${era}` });
    expect(answer.text).not.toContain('AKIAQ3EGRVZJXK7PLM2N');
    const record = await recordOf(`leak-${era}`);
    expect(JSON.stringify(record)).not.toContain('AKIAQ3EGRVZJXK7PLM2N');
    expect(record.findings.length).toBeGreaterThan(0);
  });
});

it('records a call with who, what, why and a stamp for every phase', async () => {
  const client = new WireClient(scene, 'modern', anaToken);
  await client.call('fixture__echo', { text: 'on record', nonce: 'n-record' });
  const record = await recordOf('n-record');
  expect(record).toMatchObject({
    kind: 'call',
    schemaVersion: 2,
    principal: { id: 'ana', kind: 'human', groups: ['developers'] },
    agent: { kind: 'pat' },
    personal: {
      principal: { name: 'ana name', email: null },
      agent: { name: 'laptop' },
      claimed: { name: 'wire-client', version: '1' },
    },
    method: 'tools/call',
    protocolVersion: '2026-07-28',
    virtualServer: 'dev',
    upstream: 'fixture',
    tool: 'echo',
    exposedName: 'fixture__echo',
    rule: 'developers',
    decision: 'permit',
    outcome: 'success',
    refusal: null,
    isError: false,
    count: 1,
  });
  expect(Object.keys(record.phasesUs)).toEqual([...CALL_PHASES, 'total']);
});

it('records a list with who saw how many tools of which view', async () => {
  const bo = await scene.token('bo');
  const seen = messageOf(await new WireClient(scene, 'modern', bo).ask('tools/list')).result?.tools;
  expect(seen).toEqual([]);
  const record = await oneRecord(scene, ({ kind, principal }) => kind === 'list' && principal?.id === 'bo');
  expect(record).toMatchObject({ decision: 'permit', outcome: 'success', virtualServer: 'dev', guardrailsVersion: 4 });
  expect(record.personal?.result).toMatchObject({ value: { tools: 0, partial: [] } });
});
