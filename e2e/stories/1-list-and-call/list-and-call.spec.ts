import { type PolicyDocument, VirtualServer } from '@warder/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import { inspector, inspectorModern } from '../../clients/inspector-client.js';
import { mcpRemote, mcpRemoteAuto } from '../../clients/mcp-remote-client.js';
import { sdkV1 } from '../../clients/sdk-v1-client.js';
import { sdkV2Auto, sdkV2Legacy, sdkV2Modern } from '../../clients/sdk-v2-client.js';
import { PairScene } from '../../pair-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';

const SERVER = 'workbench';
const CLIENTS = [sdkV1, sdkV2Modern, sdkV2Auto, sdkV2Legacy, mcpRemote, mcpRemoteAuto, inspector, inspectorModern];
const GRANTED = ['everything/echo', 'filesystem/list_directory', 'modern/add', 'modern/echo', 'legacy/echo'];
const LISTED = ['everything__echo', 'files__list_directory', 'legacy__echo', 'modern__echo', 'sum'];

describe.each(shapesOf('1-list-and-call'))('a developer in %s', (shape) => {
  let scene: PairScene;
  let ana: Member;
  beforeAll(async () => {
    scene = await PairScene.start(shape, workbench);
    ana = await scene.admin.member({ name: 'Ana', email: 'ana@example.com', groups: ['builders'] }, 'editor');
    await scene.listedEverywhere(SERVER, ana);
  }, START_TIMEOUT_MS);
  afterAll(async () => scene?.stop(), 60_000);

  it.each(CLIENTS)(
    'lists with $name exactly what the group was granted, and calls a tool of each upstream',
    async (kind) => {
      const client = await kind.open(scene.target(SERVER, ana.token));
      try {
        expect(await client.list()).toEqual(LISTED);
        const nonces = [newNonce(), newNonce(), newNonce()];
        const said = { text: 'grüße, 世界' };
        const answers = await Promise.all([
          client.call('sum', { a: 2, b: 3, nonce: nonces[0] }),
          client.call('modern__echo', { ...said, nonce: nonces[1] }),
          client.call('legacy__echo', { ...said, nonce: nonces[2] }),
          client.call('everything__echo', { message: kind.name }),
          client.call('files__list_directory', { path: '.' }),
        ]);
        const listing = expect.stringContaining('welcome.txt');
        expect(answers.map(({ text }) => text)).toEqual(['5', said.text, said.text, `Echo: ${kind.name}`, listing]);
        expect(answers.some(({ isError }) => isError)).toBe(false);
        expect(nonces.map((nonce, at) => scene.executed(at === 2 ? 'legacy' : 'modern', nonce))).toEqual([1, 1, 1]);
      } finally {
        await client.close();
      }
    },
    90_000,
  );

  it('leaves one record of each act, under the name of who did it', async () => {
    await scene.ledgersHold();
    const mine = { human: 'ana@example.com', agent: 'editor', kind: 'call' };
    const expected = CLIENTS.length * 5;
    await eventually('the records', async () => (await scene.admin.records(mine)).length >= expected);
    const records = await scene.admin.records(mine);
    expect(records).toHaveLength(expected);
    for (const record of records) {
      expect(record).toMatchObject({
        decision: 'permit',
        outcome: 'success',
        rule: 'builders-work',
        principal: { id: ana.principalId, groups: ['builders'] },
        agent: { id: ana.tokenId, kind: 'pat' },
        personal: { principal: { name: 'Ana' }, agent: { name: 'editor' } },
        virtualServer: SERVER,
        count: 1,
      });
    }
    expect(new Set(records.map(({ upstream }) => upstream))).toEqual(
      new Set(['everything', 'filesystem', 'modern', 'legacy']),
    );
    expect(new Set(records.map(({ protocolVersion }) => protocolVersion))).toEqual(
      new Set(['2025-11-25', '2026-07-28']),
    );
  });
});

/** One virtual server over four upstreams: a renamed tool, a changed prefix, and more than is granted. */
function workbench(document: PolicyDocument): PolicyDocument {
  const server = VirtualServer.parse({
    tools: [
      { upstream: 'everything', tool: '*' },
      { upstream: 'filesystem', tool: '*', prefix: 'files' },
      { upstream: 'modern', tool: 'add', as: 'sum' },
      { upstream: 'modern', tool: 'echo' },
      { upstream: 'modern', tool: 'secret' },
      { upstream: 'legacy', tool: '*' },
    ],
  });
  return {
    ...document,
    virtualServers: { ...document.virtualServers, [SERVER]: server },
    grants: [
      ...document.grants,
      { name: 'builders-work', effect: 'permit', to: { group: 'builders' }, tools: GRANTED },
    ],
  };
}
