import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { IngressScene, messagesOf, WireClient } from './ingress.scene.js';
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
  await vi.waitFor(async () => {
    const [listed] = messagesOf(await client.ask('tools/list'));
    expect(listed).toHaveProperty('result.tools');
    expect((listed as any).result._meta['warder/partial']).toBeUndefined();
  }, 10_000);
});

afterAll(async () => {
  await scene?.stop();
  await upstream?.close();
  await legacyUpstream?.close();
});

const recordOf = (match: object) =>
  vi.waitFor(() => {
    const found = scene.records.filter((record) => expect.objectContaining(match).asymmetricMatch(record));
    expect(found).toHaveLength(1);
    return found[0]!;
  });

describe.each(['modern', 'legacy'] as const)('a %s client', (era) => {
  it('greets, lists exactly what it may call, and calls it on an upstream of either era', async () => {
    const client = await new WireClient(scene, era, anaToken).open();
    const [listed] = messagesOf(await client.ask('tools/list')) as any[];
    const names = listed.result.tools.map((tool: { name: string }) => tool.name);
    expect(names).toContain('fixture__echo');
    expect(names).toContain('elder__echo');
    expect(names).not.toContain('fixture__add');
    for (const name of ['fixture__echo', 'elder__echo']) {
      const [answer] = messagesOf(await client.call(name, { text: `hi ${era}` })) as any[];
      expect(answer.result.content).toEqual([{ type: 'text', text: `hi ${era}` }]);
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
    expect(messagesOf(forbidden)[0]).toMatchObject({ error: { code: -32602, message: 'Unknown tool: fixture__add' } });
  });

  it('gets secrets redacted, and the record holds none either', async () => {
    const client = await new WireClient(scene, era, anaToken).open();
    const answer = await client.call('fixture__secret', { where: 'text', nonce: `leak-${era}` });
    expect(answer.text).not.toContain('AKIAQ3EGRVZJXK7PLM2N');
    const record = await recordOf({
      tool: 'secret',
      arguments: expect.objectContaining({ value: { where: 'text', nonce: `leak-${era}` } }),
    });
    expect(JSON.stringify(record)).not.toContain('AKIAQ3EGRVZJXK7PLM2N');
    expect(record.findings.length).toBeGreaterThan(0);
  });
});

it('records a call with who, what, why and a stamp for every phase', async () => {
  const client = new WireClient(scene, 'modern', anaToken);
  await client.call('fixture__echo', { text: 'on record', nonce: 'n-record' });
  const record = await recordOf({
    arguments: expect.objectContaining({ value: { text: 'on record', nonce: 'n-record' } }),
  });
  expect(record).toMatchObject({
    kind: 'call',
    principal: { id: 'ana', kind: 'human', name: 'ana name', email: null, groups: ['developers'] },
    agent: { name: 'laptop', kind: 'pat' },
    claimed: { name: 'wire-client', version: '1' },
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
