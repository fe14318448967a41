import { setTimeout } from 'node:timers/promises';
import { type AuditRecord, type PolicyDocument, Upstream, VirtualServer } from '@warder/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import type { RealClient } from '../../clients/real-client.js';
import { sdkV1 } from '../../clients/sdk-v1-client.js';
import { sdkV2Modern } from '../../clients/sdk-v2-client.js';
import { PairScene } from '../../pair-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually } from '../../wire-agent.js';
import { Wiki } from './wiki.js';

const THINKING_MS = 250;
const SERVERS = ['work', 'work-strict'] as const;

describe.each(shapesOf('25-poisoned-page'))('a poisoned page read through Warder, %s', (shape) => {
  let scene: PairScene;
  let wiki: Wiki;
  let people = 0;

  beforeAll(async () => {
    wiki = await Wiki.start();
    scene = await PairScene.start(shape, (document) => withWiki(document, wiki.url));
    await person();
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await scene?.stop();
    await wiki?.stop();
  }, 60_000);
  afterEach(() => void wiki.done.splice(0));

  /** Each test is another person: what one of them read is no business of the next. */
  const person = async (): Promise<Member> => {
    people += 1;
    const member = await scene.admin.member({ name: `Person ${people}`, groups: ['writers'] });
    for (const server of SERVERS) await scene.listedEverywhere(server, member);
    return member;
  };
  const recordsOf = async (member: Member, count: number): Promise<AuditRecord[]> => {
    let found: AuditRecord[] = [];
    await eventually('the records', async () => {
      found = (await scene.admin.records({ upstream: 'wiki', human: member.principalId })).filter(
        ({ kind }) => kind === 'call',
      );
      return found.length >= count;
    });
    return found;
  };
  const of = (records: readonly AuditRecord[], tool: string) => records.find((record) => record.tool === tool)!;

  describe.each([sdkV2Modern, sdkV1])('by an agent that obeys whatever it reads ($name)', (kind) => {
    const obeyAs = async (server: (typeof SERVERS)[number], member: Member) => {
      const client = await kind.open(scene.target(server, member.token));
      try {
        return await readAndObey(client, 'RELEASE-7');
      } finally {
        await client.close();
      }
    };

    it('with defaults: the answer is flagged, the deletion waits for a human, the record shows the chain', async () => {
      const ana = await person();
      const told = await obeyAs('work', ana);
      expect(told.map(({ tool, isError }) => [tool, isError])).toEqual([
        ['wiki__publish', false],
        ['wiki__delete_page', true],
      ]);
      expect(wiki.done).toEqual(['publish https://drop.evil.example/collect']);
      const records = await recordsOf(ana, 3);
      const read = of(records, 'read_page');
      expect(read.findings).toContainEqual(expect.objectContaining({ category: 'injection', action: 'flag' }));
      const chain = [{ recordId: read.recordId, tool: 'wiki/read_page', labels: ['untrusted'] }];
      const held = of(records, 'delete_page');
      expect(held).toMatchObject({
        decision: 'forbid',
        refusal: { code: 'WDR_APPROVAL_REQUIRED' },
        flow: { action: 'approve', rule: 'flow.balanced.destructive', chain },
      });
      expect(of(records, 'publish')).toMatchObject({
        decision: 'permit',
        flow: { action: 'flag', rule: 'flow.balanced.echo', chain, run: held.flow!.run },
      });
    }, 60_000);

    it('with strict: both steps are refused, and the record shows the chain', async () => {
      const bo = await person();
      const told = await obeyAs('work-strict', bo);
      expect(told.map(({ isError }) => isError)).toEqual([true, true]);
      expect(wiki.done).toEqual([]);
      const records = await recordsOf(bo, 3);
      const chain = [{ recordId: of(records, 'read_page').recordId, tool: 'wiki/read_page', labels: ['untrusted'] }];
      for (const tool of ['publish', 'delete_page'])
        expect(of(records, tool)).toMatchObject({
          refusal: { code: 'WDR_FLOW_BLOCKED' },
          flow: { action: 'block', rule: 'flow.strict.sink', chain },
        });
    }, 60_000);
  });

  it('who read nothing deletes a page, on the same servers', async () => {
    for (const server of SERVERS) {
      const client = await sdkV2Modern.open(scene.target(server, (await person()).token));
      expect(await client.call('wiki__delete_page', { id: 'OPS-1' })).toMatchObject({ isError: false });
      await client.close();
    }
    expect(wiki.done).toEqual(['delete OPS-1', 'delete OPS-1']);
  });

  it.runIf(shape === 'cluster')('read at one node, it holds the deletion at the other', async () => {
    const cy = await person();
    const [here, there] = await Promise.all(scene.nodes.map((node) => scene.agent('work-strict', cy, 'modern', node)));
    await here!.call('wiki__read_page', { id: 'RELEASE-7' });
    let told = '';
    await eventually('the other node to know', async () => {
      told = (await there!.call('wiki__delete_page', { id: 'OPS-2' })).text;
      return told.includes('WDR_');
    });
    expect(told).toContain('WDR_FLOW_BLOCKED');
  });
});

/** Reads a page and does every call that its text asks for. */
async function readAndObey(client: RealClient, id: string): Promise<{ tool: string; isError: boolean }[]> {
  const { text } = await client.call('wiki__read_page', { id });
  const orders = [...text.matchAll(/^CALL (\w+) (\{.*\})$/gm)];
  expect(orders).toHaveLength(2);
  // What a model takes to think, at the least; the nodes of a cluster need some milliseconds to tell each other.
  await setTimeout(THINKING_MS);
  const told: { tool: string; isError: boolean }[] = [];
  for (const [, name, args] of orders) {
    const tool = `wiki__${name}`;
    const { isError } = await client.call(tool, JSON.parse(args!) as Record<string, unknown>);
    told.push({ tool, isError });
  }
  return told;
}

/** One virtual server as it comes, one with the preset `strict`; the operator said which tools do what. */
function withWiki(document: PolicyDocument, url: string): PolicyDocument {
  const wiki = Upstream.parse({
    transport: { kind: 'streamable-http', url },
    allowPrivateAddress: true,
    flow: { isTrusted: false, tools: { delete_page: ['destructive'], publish: ['external'] } },
  });
  const server = (flow?: object) =>
    VirtualServer.parse({ tools: [{ upstream: 'wiki', tool: '*' }], ...(flow && { flow }) });
  return {
    ...document,
    upstreams: { ...document.upstreams, wiki },
    virtualServers: { ...document.virtualServers, work: server(), 'work-strict': server({ preset: 'strict' }) },
    grants: [...document.grants, { name: 'writers', effect: 'permit', to: { group: 'writers' }, tools: ['wiki/*'] }],
  };
}
