import { type FixtureUpstream, startFixtureUpstream } from '@warder/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, IngressScene } from './ingress.scene.js';
import { WireClient } from './wire-client.scene.js';
import { CALL_PHASES } from './pipeline/phase-clock.js';

const upstreams: FixtureUpstream[] = [];
let scene: IngressScene;

beforeAll(async () => {
  upstreams.push(await startFixtureUpstream({ era: 'modern' }), await startFixtureUpstream({ era: 'legacy' }));
  const settings = (at: number) => ({
    transport: { kind: 'streamable-http' as const, url: upstreams[at]!.url },
    allowPrivateAddress: true,
    timeoutMs: 400,
  });
  const block = { request: { pii: 'block' as const }, response: { secret: 'block' as const } };
  const tools = [
    { upstream: 'young', tool: '*' },
    { upstream: 'old', tool: '*' },
  ];
  scene = await new IngressScene().start({
    upstreams: { young: settings(0), old: settings(1) },
    virtualServers: { dev: { tools }, strict: { tools, guardrails: block } },
    grants: [
      { name: 'all', effect: 'permit', to: { group: 'developers' }, tools: ['*/*'] },
      { name: 'no-add', effect: 'forbid', to: { group: 'developers' }, tools: ['*/add'] },
    ],
    limit: { callsPerMinute: 6_000, burst: 60 },
  });
  const token = await scene.token('ana');
  await scene.untilListed(new WireClient(scene, 'modern', token), 'young__echo', 'old__echo');
});

afterAll(async () => {
  await scene?.stop();
  for (const upstream of upstreams) await upstream.close();
});

/** A sequence that is the same in every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

it('lets nothing into an upstream’s ledger without one record in which every phase is stamped', async () => {
  const pick = seeded(20_261_125);
  const oneOf = <T>(of: readonly T[]): T => of[pick(of.length)]!;
  const tokens = [await scene.token('ana'), await scene.token('bo'), await scene.token('ana', ['young/*']), 'wdr_none'];
  const names = [
    'echo',
    'add',
    'error',
    'secret',
    'slow',
    'progress',
    'gzip',
    'sse-split',
    'forget-session',
    'nothing',
  ];
  const run = async (at: number): Promise<void> => {
    const client = new WireClient(scene, oneOf(['modern', 'legacy']), oneOf(tokens), oneOf(['dev', 'strict', 'none']));
    await client.open();
    const leaving = new AbortController();
    const args = { nonce: `n${at}`, text: oneOf(['hi', 'mail ana@example.com']), ms: 1_000, n: 2 };
    const meta = oneOf([undefined, { progressToken: at }]);
    const call = client.call(`${oneOf(['young', 'old'])}__${oneOf(names)}`, args, meta, leaving.signal);
    if (pick(10) === 0) leaving.abort();
    await call.catch(() => undefined);
  };
  for (let from = 0; from < 240; from += 12) await Promise.all(Array.from({ length: 12 }, (_, at) => run(from + at)));

  const ledger = upstreams.flatMap((upstream) => upstream.executed().map(({ nonce }) => nonce));
  const recordsOf = (nonce: string | null) =>
    scene.records.filter(
      (record) => record.kind === 'call' && JSON.stringify(record.personal?.arguments).includes(`"${nonce}"`),
    );
  await eventually(() => ledger.every((nonce) => recordsOf(nonce).length > 0) || undefined);
  expect(ledger.length).toBeGreaterThan(30);
  const upToTheUpstream = CALL_PHASES.slice(0, CALL_PHASES.indexOf('upstream') + 1);
  for (const nonce of ledger) {
    const [record, ...more] = recordsOf(nonce);
    expect(more).toEqual([]);
    expect(record).toMatchObject({ decision: 'permit', principal: { id: 'ana' }, rule: 'all' });
    expect(Object.keys(record!.phasesUs)).toEqual(expect.arrayContaining([...upToTheUpstream, 'total']));
  }
  for (const record of scene.records.filter((each) => each.kind === 'call' && each.outcome === 'success')) {
    const nonce = /"nonce":"(n\d+)"/.exec(JSON.stringify(record.personal?.arguments))?.[1] ?? '';
    expect(ledger.filter((each) => each === nonce)).toHaveLength(1);
    expect(Object.keys(record.phasesUs)).toEqual([...CALL_PHASES, 'total']);
  }
});
