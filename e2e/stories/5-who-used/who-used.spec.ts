import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '@warder/contracts';
import { AdminDoor, type Member } from '../../admin-door.js';
import { sdkV1 } from '../../clients/sdk-v1-client.js';
import { sdkV2Modern } from '../../clients/sdk-v2-client.js';
import { PairScene } from '../../pair-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually } from '../../wire-agent.js';

interface Use {
  readonly agent: { id: string; name: string };
  readonly human: { id: string; name: string; email: string };
  readonly upstream: string;
  readonly tool: string;
  readonly count: number;
  readonly refused: number;
  readonly samples: readonly { recordId: string; arguments: { value: unknown } }[];
}

const QUESTION = '/audit/who-used?upstream=filesystem&days=30';
const SERVER = 'dev';

describe.each(shapesOf('5-who-used'))('who used the filesystem server, in %s', (shape) => {
  let scene: PairScene;
  let ana: Member;
  let bo: Member;
  let anaElsewhere: Pick<Member, 'token' | 'tokenId'>;
  beforeAll(async () => {
    scene = await PairScene.start(shape, (document) => document);
    const groups = ['developers'];
    ana = await scene.admin.member({ name: 'Ana', email: 'ana@example.com', groups }, 'editor');
    anaElsewhere = await scene.admin.token(ana.principalId, 'nightly-agent');
    bo = await scene.admin.member({ name: 'Bo', email: 'bo@example.com', groups }, 'terminal');
    await scene.listedEverywhere(SERVER, bo);
  }, START_TIMEOUT_MS);
  afterAll(async () => scene?.stop(), 60_000);

  it('is answered by one request: which agents, under whose identity, with what arguments', async () => {
    await use(sdkV1, ana.token, 'list_directory', [{ path: '.' }, { path: './' }]);
    await use(sdkV2Modern, anaElsewhere.token, 'read_text_file', [{ path: 'welcome.txt', head: 1 }]);
    await use(sdkV1, bo.token, 'list_directory', [{ path: '.' }]);
    const client = await sdkV1.open(scene.target(SERVER, bo.token));
    await client.call('everything__echo', { message: 'another upstream' });
    await expect(client.call('filesystem__write_file', { path: 'x', content: 'y' })).rejects.toThrow('Unknown tool');
    await client.close();
    await eventually('the uses', async () => total(await ask()) >= 4);
    const uses = await ask();
    expect(uses.map(summaryOf).toSorted()).toEqual([
      'Ana <ana@example.com> by editor: list_directory 2',
      'Ana <ana@example.com> by nightly-agent: read_text_file 1',
      'Bo <bo@example.com> by terminal: list_directory 1',
    ]);
    const most = uses.find(({ agent }) => agent.id === ana.tokenId);
    expect(most).toMatchObject({
      agent: { id: ana.tokenId, name: 'editor' },
      human: { id: ana.principalId, name: 'Ana', email: 'ana@example.com' },
      upstream: 'filesystem',
      refused: 0,
    });
    expect(most?.samples.map(({ arguments: args }) => args.value)).toEqual([{ path: './' }, { path: '.' }]);
    const record = await scene.admin.ask('GET', `/audit/calls/${most?.samples[0]?.recordId}`);
    expect(record).toMatchObject({
      tool: 'list_directory',
      personal: { claimed: { name: 'warder-story', version: '1.0.0' } },
    });
  }, 60_000);

  it('is for auditors only', async () => {
    const { adminUrl } = scene.warder;
    const { token } = await scene.admin.member({ name: 'Admin', roles: ['admin'] });
    const auditor = await scene.admin.member({ name: 'Auditor', roles: ['auditor'] });
    const asked = new AdminDoor({ adminUrl, adminToken: auditor.token });
    await eventually('the auditor is known', () =>
      asked.text(QUESTION).then(
        () => true,
        () => false,
      ),
    );
    for (const refused of [token, bo.token]) {
      const door = new AdminDoor({ adminUrl, adminToken: refused });
      await expect(door.text(QUESTION)).rejects.toThrow(/: 403 .*WDR_ROLE_MISSING/);
    }
  });

  it('is answered to an agent of an auditor, as a call that is governed and recorded as all are', async () => {
    const groups = ['developers'];
    const vera = await scene.admin.member(
      { name: 'Vera', email: 'vera@example.com', roles: ['auditor'], groups },
      'night-watch',
    );
    await scene.listedEverywhere('audit', vera);
    const client = await sdkV1.open(scene.target('audit', vera.token));
    expect(await client.list()).toEqual(['find_calls', 'get_call', 'who_used']);
    const answer = async (name: string, args: object) => {
      const { text, isError } = await client.call(name, { ...args });
      if (isError) throw new Error(text);
      return JSON.parse(text);
    };
    const { uses } = (await answer('who_used', { upstream: 'filesystem', days: 30 })) as { uses: Use[] };
    expect(uses.map(summaryOf).toSorted()).toEqual((await ask()).map(summaryOf).toSorted());
    const found = await answer('find_calls', { human: 'bo@example.com', tool: 'list_directory' });
    expect(found.calls).toMatchObject([{ principal: { id: bo.principalId } }]);
    const { recordId } = found.calls[0];
    const whole = await scene.admin.text(`/audit/calls/${recordId}`);
    expect(await answer('get_call', { recordId })).toEqual(JSON.parse(whole));
    await client.close();
    await eventually('the questions of Vera are on record', async () => {
      const { calls } = await scene.admin.ask<{ calls: AuditRecord[] }>('GET', '/audit/calls?human=vera@example.com');
      const lines = calls.map(({ kind, tool, agent }) => `${kind} ${tool} ${agent?.id}`);
      return (
        ['find_calls', 'who_used'].every((tool) => lines.includes(`call ${tool} ${vera.tokenId}`)) &&
        calls.filter(({ kind }) => kind === 'query').length >= 3
      );
    });
    const { calls } = await scene.admin.ask<{ calls: AuditRecord[] }>('GET', '/audit/calls?upstream=audit&kind=call');
    for (const { personal } of calls) {
      expect(personal?.arguments).toHaveProperty('value');
      expect(personal?.result).not.toHaveProperty('value');
    }
    const asBo = await sdkV1.open(scene.target('audit', bo.token));
    expect(await asBo.list()).toEqual([]);
    await expect(asBo.call('find_calls', {})).rejects.toThrow('Unknown tool');
    await asBo.close();
  }, 60_000);

  const ask = async () => (await scene.admin.ask<{ uses: Use[] }>('GET', QUESTION)).uses;

  async function use(kind: typeof sdkV1, token: string, tool: string, calls: readonly object[]): Promise<void> {
    const client = await kind.open(scene.target(SERVER, token));
    for (const args of calls) {
      expect((await client.call(`filesystem__${tool}`, { ...args })).isError).toBe(false);
    }
    await client.close();
  }
});

const total = (uses: readonly Use[]) => uses.reduce((sum, { count }) => sum + count, 0);

const summaryOf = ({ human, agent, tool, count }: Use) =>
  `${human.name} <${human.email}> by ${agent.name}: ${tool} ${count}`;
