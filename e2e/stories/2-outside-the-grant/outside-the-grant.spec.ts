import { type PolicyDocument, VirtualServer } from '@warder/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Member } from '../../admin-door.js';
import type { SeenAnswer } from '../../era-agent.js';
import { PAIR, PairScene } from '../../pair-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';

const SERVER = 'lab';
const ELSEWHERE = 'annex';
const GRANTED = 'report';
const SCOPES = ['modern/echo', 'modern/add', 'modern/secret', 'legacy/*'];
const REFUSED = '{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"Unknown tool: <name>"}}';
const BURST = 8;

/** A tool that may not be called, and what only operators are told of it. All names are of one length, as answers are. */
interface Outside {
  readonly what: string;
  readonly name: string;
  readonly recorded: { readonly upstream: string | null; readonly tool: string | null; readonly rule: string | null };
  readonly detail: string;
  readonly explained: { readonly tool: string | null; readonly rule: string };
}

const unexposed = {
  recorded: { upstream: null, tool: null, rule: null },
  detail: 'lab does not expose it',
  explained: { tool: null, rule: 'not exposed' },
};
const ruledOut = (tool: string, rule: string) => ({
  recorded: { upstream: 'modern', tool, rule },
  detail: rule,
  explained: { tool: `modern/${tool}`, rule },
});
const OUTSIDE: readonly Outside[] = [
  { what: 'one that is nowhere', name: 'ghosts', ...unexposed },
  { what: 'one of another virtual server', name: 'lookup', ...unexposed },
  { what: 'one by the name that its upstream gave it', name: 'secret', ...unexposed },
  { what: 'one that no grant names', name: 'deploy', ...ruledOut('add', 'default deny') },
  { what: 'one that a grant permits and another forbids', name: 'export', ...ruledOut('secret', 'no-exports') },
  { what: 'one outside the scopes of the token', name: 'search', ...ruledOut('error', 'token scope') },
];

describe.each(shapesOf('2-outside-the-grant'))('a tool outside the grant, in %s', (shape) => {
  let scene: PairScene;
  let ana: Member;
  let notebook: Pick<Member, 'token' | 'tokenId'>;
  const tried: string[] = [];
  beforeAll(async () => {
    scene = await PairScene.start(shape, lab);
    ana = await scene.admin.member({ name: 'Ana', email: 'ana@example.com', groups: ['analysts'] });
    notebook = await scene.admin.token(ana.principalId, 'notebook', SCOPES);
    await scene.listedEverywhere(SERVER, notebook);
    await scene.listedEverywhere(ELSEWHERE, notebook);
  }, START_TIMEOUT_MS);
  afterAll(async () => scene?.stop(), 60_000);

  const places = () => [...new Set([scene.door, ...scene.nodes])];
  const trial = () => {
    const nonce = newNonce();
    tried.push(nonce);
    return { nonce, why: 'a trial' };
  };

  it.each(PAIR)('is not listed (%s era)', async (era) => {
    for (const place of places()) {
      const { status, text } = await (await scene.agent(SERVER, notebook, era, place)).list();
      expect([status, namesIn(text)]).toEqual([200, [GRANTED]]);
    }
  });

  it.each(PAIR)('is answered like one that does not exist, to the byte (%s era)', async (era) => {
    for (const place of places()) {
      const agent = await scene.agent(SERVER, notebook, era, place);
      for (const progressToken of [undefined, 'p']) {
        const answers: string[] = [];
        for (const { name } of OUTSIDE) answers.push(seenOf(await agent.call(name, trial(), progressToken), name));
        expect(new Set(answers).size).toBe(1);
        const { status, text } = JSON.parse(answers[0]!) as SeenAnswer;
        const framed = progressToken === undefined ? REFUSED : `event: message\ndata: ${REFUSED}\n\n`;
        expect({ status, text }).toEqual({ status: 200, text: framed });
      }
    }
  });

  it.each(OUTSIDE)(
    'is told apart by the record and by explain: $what',
    async ({ name, recorded, detail, explained }) => {
      const mine = { human: ana.principalId, agent: 'notebook', kind: 'call' };
      const ofTool = async () => (await scene.admin.records(mine)).filter(({ exposedName }) => exposedName === name);
      const expected = places().length * PAIR.length * 2;
      await eventually('the records', async () => (await ofTool()).length >= expected);
      const records = await ofTool();
      expect(records).toHaveLength(expected);
      for (const record of records) {
        expect(record).toMatchObject({
          ...recorded,
          agent: { id: notebook.tokenId },
          virtualServer: SERVER,
          decision: 'forbid',
          outcome: 'failure',
          refusal: { code: 'WDR_TOOL_UNKNOWN' },
          personal: { arguments: { value: { why: 'a trial' } }, refusalDetail: detail, result: null },
        });
      }
      const question = { principal: 'ana@example.com', virtualServer: SERVER, tool: name, tokenId: notebook.tokenId };
      const answer = await scene.admin.ask('POST', '/policy/explain', question);
      expect(answer).toMatchObject({ decision: 'forbid', ...explained });
    },
  );

  it('is there for those who may call it', async () => {
    const cleo = await scene.admin.member({ name: 'Cleo', groups: ['exporters'] });
    await scene.listedEverywhere(SERVER, cleo);
    const [exported, searched, lookedUp] = [newNonce(), newNonce(), newNonce()];
    const calls = [
      (await scene.agent(SERVER, cleo, 'modern')).call('export', { nonce: exported }),
      (await scene.agent(SERVER, ana, 'modern')).call('search', { nonce: searched, text: 'none found' }),
      (await scene.agent(ELSEWHERE, notebook, 'legacy')).call('lookup', { nonce: lookedUp, text: 'it' }),
    ];
    const texts = (await Promise.all(calls)).map(({ text }) => text);
    const said = ['The configuration holds', 'none found', '"it"'];
    expect(texts).toEqual(said.map((words) => expect.stringContaining(words)));
    const executed = [exported, searched].map((nonce) => scene.executed('modern', nonce));
    expect([...executed, scene.executed('legacy', lookedUp)]).toEqual([1, 1, 1]);
  });

  it('costs the quota of a call that is allowed, in each era', async () => {
    const names = [GRANTED, ...OUTSIDE.map(({ name }) => name)];
    const argumentsFor = (name: string) => (name === GRANTED ? { nonce: newNonce() } : trial());
    const askers = PAIR.flatMap((era) => names.map((name) => ({ era, name, token: '' })));
    for (const asker of askers) {
      const { principalId } = await scene.admin.member({ name: `${asker.name} ${asker.era}`, groups: ['analysts'] });
      asker.token = (await scene.admin.token(principalId, 'notebook', SCOPES)).token;
    }
    await scene.listedEverywhere(SERVER, askers.at(-1)!);
    // At another rate every bucket is a new one, so that what came before does not count.
    await scene.admin.changePolicy((document) => ({ ...document, limit: { callsPerMinute: 1, burst: BURST } }));
    for (const { era, name, token } of askers) {
      const agent = await scene.agent(SERVER, { token }, era);
      const statuses: number[] = [];
      for (let call = 0; call < BURST + 1; call += 1)
        statuses.push((await agent.call(name, argumentsFor(name))).status);
      // A legacy session was opened with two messages.
      const served = era === 'modern' ? BURST : BURST - 2;
      expect({ era, name, served: statuses.lastIndexOf(200) + 1 }).toEqual({ era, name, served });
      expect(new Set(statuses.slice(served))).toEqual(new Set([429]));
    }
  });

  it('reaches no upstream', async () => {
    await scene.ledgersHold();
    expect(tried.length).toBeGreaterThan(100);
    const executed = tried.filter((nonce) => PAIR.some((era) => scene.executed(era, nonce) > 0));
    expect(executed).toEqual([]);
  });
});

/** All that an agent sees of an answer, in its order, but the name that it asked for. */
function seenOf({ status, headers, text }: SeenAnswer, name: string): string {
  return JSON.stringify({ status, headers, text: text.replace(name, '<name>') });
}

function namesIn(text: string): string[] {
  return (JSON.parse(text) as { result: { tools: { name: string }[] } }).result.tools.map(({ name }) => name);
}

/** A virtual server that exposes more than is granted, and another whose tool is granted there. */
function lab(document: PolicyDocument): PolicyDocument {
  const tools = [
    { upstream: 'modern', tool: 'echo', as: GRANTED },
    { upstream: 'modern', tool: 'add', as: 'deploy' },
    { upstream: 'modern', tool: 'secret', as: 'export' },
    { upstream: 'modern', tool: 'error', as: 'search' },
  ];
  const analysts = { group: 'analysts' };
  return {
    ...document,
    virtualServers: {
      ...document.virtualServers,
      [SERVER]: VirtualServer.parse({ tools }),
      [ELSEWHERE]: VirtualServer.parse({ tools: [{ upstream: 'legacy', tool: 'echo', as: 'lookup' }] }),
    },
    grants: [
      ...document.grants,
      {
        name: 'analysts-work',
        effect: 'permit',
        to: analysts,
        tools: ['modern/echo', 'modern/error', 'modern/secret', 'legacy/*'],
      },
      { name: 'no-exports', effect: 'forbid', to: analysts, tools: ['*/secret'] },
      { name: 'exporters-export', effect: 'permit', to: { group: 'exporters' }, tools: ['modern/secret'] },
    ],
  };
}
