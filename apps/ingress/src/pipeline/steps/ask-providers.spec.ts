import { type AskedProvider, compilePolicy, providersOf } from '@warder/access';
import { ActionRules, GuardrailActions, type Hold, PolicyDocument, type ProviderRecord } from '@warder/contracts';
import { ActionMatrix } from '@warder/detectors';
import type { Asked, ProviderAnswer } from '@warder/guardrail-providers';
import { revisionOf } from '@warder/mcp-wire';
import { describe, expect, it } from 'vitest';
import type { Credentialed, Recorded, Released } from '../call.js';
import { CallSwitch } from '../call-signal.js';
import type { Gateway, InterimMessage, PolicyView } from '../gateway.js';
import type { Refusal } from '../refusal.js';
import { askAboutAnswer, askAboutArguments, withoutUnasked } from './ask-providers.js';

const GRACE = { kind: 'pii' as const, category: 'PERSON', span: { start: 3, end: 8 } };
const ATTACK = { kind: 'injection' as const, category: 'steering' };
const said = (...sightings: (typeof GRACE | typeof ATTACK)[]): ProviderAnswer => ({ ms: 4, sightings });
const silent: ProviderAnswer = { ms: 50, error: 'timeout' };

/** A call of wiki/read under a policy that uses providers `one` and `two`, whose words are given. */
function stand(uses: object[], words: Record<string, ProviderAnswer>, onError = 'closed', matrix: object[] = []) {
  const guardrails = { request: GuardrailActions.parse({}), response: GuardrailActions.parse({}) };
  const target = { canonical: 'wiki/read', upstream: 'wiki', tool: 'read' };
  const scope = { virtualServer: 'dev', tool: target, groups: [] };
  const provider = { kind: 'presidio', url: 'http://127.0.0.1:1', onError };
  const document = PolicyDocument.parse({
    upstreams: { wiki: { transport: { kind: 'streamable-http', url: 'http://127.0.0.1:1' } } },
    guardrailProviders: { one: provider, two: provider },
    virtualServers: { dev: { tools: [{ upstream: 'wiki', tool: '*' }], providers: uses } },
  });
  const { providers: rules } = compilePolicy(document, 1).virtualServers.get('dev')!;
  const policy = { providers: (_server, target) => providersOf(rules, target) } as Pick<PolicyView, 'providers'>;
  const texts: string[] = [];
  const later: ProviderRecord[] = [];
  const observed: number[] = [];
  const parts = {
    providers: {
      ask: async ({ provider: name }: AskedProvider, { text }: Asked) => {
        texts.push(`${name}: ${text}`);
        return words[name]!;
      },
      toldAfter: (record: ProviderRecord) => later.push(record),
    },
    flow: { observe: (_run: unknown, { bits }: { bits: number }) => observed.push(bits) },
    face: { server: { name: 'warder', version: '0' }, capabilities: {} },
  } as unknown as Pick<Gateway, 'providers' | 'flow' | 'face'>;
  const value = { content: [{ type: 'text', text: 'by Grace' }] };
  const call = {
    callId: 'c1',
    virtualServer: 'dev',
    target,
    screening: new ActionMatrix(ActionRules.parse(matrix)).of(guardrails, scope),
    args: { who: 'by Grace', key: 'AKIA' },
    cleanArgs: { who: 'by Grace', key: '[redacted]' },
    cleanMeta: {},
    meta: {},
    signal: new CallSwitch(),
    findings: [],
    holds: [] as Hold[],
    run: {},
    flow: { bits: 0 },
    revision: revisionOf('2026-07-28')!,
    answer: { result: value },
    released: { text: '', member: 'result', isError: false, value },
  } as unknown as Released;
  return { call, policy: policy as PolicyView, parts, texts, later, observed };
}

const refusalOf = (work: Promise<unknown> | undefined) =>
  work!.then(
    () => expect.fail('nothing was refused'),
    (error: unknown) => error as Refusal,
  );
const ofArguments = ({ call, policy, parts }: ReturnType<typeof stand>) =>
  askAboutArguments(call as Credentialed, policy, parts);
const ofAnswer = ({ call, policy, parts }: ReturnType<typeof stand>) => askAboutAnswer(call, policy, parts);

describe('a call of a tool that nobody is asked about', () => {
  it('waits for nothing', () => {
    const lines = [{ provider: 'one', tools: ['other/*'], mode: 'wait' }];
    const scene = stand(lines, {});
    expect(ofArguments(scene)).toBeUndefined();
    expect(ofAnswer(scene)).toBeUndefined();
    expect(scene.texts).toEqual([]);
  });
});

describe('what providers say of a call that waits for them', () => {
  it('is cut out of arguments and answers, and stands in the record by its name alone', async () => {
    const scene = stand([{ provider: 'one', mode: 'wait', action: 'redact' }], { one: said(GRACE) });
    const args = { who: 'by [redacted:provider.one.PERSON]', key: '[redacted]' };
    expect(await ofArguments(scene)).toEqual({ args, cleanArgs: args, argsText: JSON.stringify(args), cleanMeta: {} });
    const { answer, released } = (await ofAnswer(scene))!;
    expect(answer).toEqual({ result: { content: [{ type: 'text', text: 'by [redacted:provider.one.PERSON]' }] } });
    expect(released!.text).toContain('by [redacted:provider.one.PERSON]');
    expect(scene.call.said).toEqual([
      { provider: 'one', phase: 'request', ms: 4, found: [{ category: 'PERSON', count: 1 }], error: null },
      { provider: 'one', phase: 'response', ms: 4, found: [{ category: 'PERSON', count: 1 }], error: null },
    ]);
    expect(scene.call.findings[0]).toMatchObject({
      detector: 'provider.one.PERSON',
      category: 'pii',
      action: 'redact',
    });
  });

  it('is asked about the redacted text, unless an operator says otherwise', async () => {
    const lines = [
      { provider: 'one', mode: 'wait' },
      { provider: 'two', mode: 'wait', text: 'original' },
    ];
    const scene = stand(lines, { one: said(), two: said() });
    await ofArguments(scene);
    expect(scene.texts).toEqual(['one: by Grace\n[redacted]', 'two: by Grace\nAKIA']);
  });

  it('blocks by kind, where it has no place that could be cut too, and the record is without what was found', async () => {
    const lines = [{ provider: 'one', mode: 'wait', action: 'redact', actions: { injection: 'block' } }];
    const refusal = await refusalOf(ofArguments(stand(lines, { one: said(GRACE, ATTACK) })));
    expect(refusal.code).toBe('WDR_GUARDRAIL_BLOCKED');
    expect(refusal.facts.recordedArgs).toMatchObject({ who: 'by [redacted:provider.one.PERSON]' });
    const placeless = [{ provider: 'one', mode: 'wait', action: 'redact' }];
    expect((await refusalOf(ofAnswer(stand(placeless, { one: said(ATTACK) })))).code).toBe('WDR_GUARDRAIL_BLOCKED');
  });

  it('has arguments wait for a human, and an answer, which cannot, blocked', async () => {
    const scene = stand([{ provider: 'one', mode: 'wait', action: 'approve' }], { one: said(ATTACK) });
    await ofArguments(scene);
    expect(scene.call.holds).toMatchObject([{ by: 'guardrail', rule: 'provider.one.steering' }]);
    expect((await refusalOf(ofAnswer(scene))).code).toBe('WDR_GUARDRAIL_BLOCKED');
  });
});

describe('rules of the matrix that name what a provider finds', () => {
  const lines = [{ provider: 'one', mode: 'wait', action: 'block' }];
  const rule = (action: string, more: object = {}) => ({ name: 'ours', detector: 'provider.one.*', action, ...more });

  it('go before the policy, and stand in the finding', async () => {
    const scene = stand(lines, { one: said(GRACE) }, 'closed', [rule('strip')]);
    expect((await ofArguments(scene))!.args).toMatchObject({ who: 'by ' });
    expect(scene.call.findings).toMatchObject([{ detector: 'provider.one.PERSON', action: 'strip', rule: 'ours' }]);
    const off = stand(lines, { one: said(GRACE) }, 'closed', [rule('off')]);
    expect(await ofAnswer(off)).toEqual({});
    expect(off.call.findings).toEqual([]);
  });

  it('block where they cannot be obeyed: without a place, and in the text as it came', async () => {
    const placeless = stand(lines, { one: said(ATTACK) }, 'closed', [rule('strip')]);
    expect((await refusalOf(ofAnswer(placeless))).code).toBe('WDR_GUARDRAIL_BLOCKED');
    const original = [{ provider: 'one', mode: 'wait', text: 'original' }];
    const uncut = stand(original, { one: said(GRACE) }, 'closed', [rule('redact')]);
    expect((await refusalOf(ofArguments(uncut))).code).toBe('WDR_GUARDRAIL_BLOCKED');
  });

  it('have a human asked in the name of the rule, once', async () => {
    const waiting = [rule('approve', { direction: 'request' })];
    const scene = stand(lines, { one: said(GRACE, ATTACK) }, 'closed', waiting);
    await ofArguments(scene);
    expect(scene.call.holds).toMatchObject([{ by: 'guardrail', rule: 'ours' }]);
  });

  it('are only told of on trial', async () => {
    const trial = [rule('off', { isShadow: true })];
    const scene = stand(lines, { one: said(GRACE) }, 'closed', trial);
    expect((await refusalOf(ofAnswer(scene))).code).toBe('WDR_GUARDRAIL_BLOCKED');
    expect(scene.call.findings).toMatchObject([{ action: 'block', shadow: { rule: 'ours', action: 'off' } }]);
  });
});

it('names a bounded number of what a provider found, though it calls each thing by another name', async () => {
  const many = Array.from({ length: 5_000 }, (_, at) => ({ ...ATTACK, category: `c${at}` }));
  const blocked = await refusalOf(
    ofAnswer(stand([{ provider: 'one', mode: 'wait', action: 'block' }], { one: said(...many) })),
  );
  expect(blocked.internalDetail.length).toBeLessThan(1_000);
  const held = stand([{ provider: 'one', mode: 'wait', action: 'approve' }], { one: said(...many) });
  await ofArguments(held);
  expect(held.call.holds).toHaveLength(20);
});

describe('a provider without a word', () => {
  const lines = [{ provider: 'one', mode: 'wait' }];
  it('that is closed refuses the call, and says whether it was made: WDR_GUARDRAIL_UNAVAILABLE', async () => {
    const before = await refusalOf(ofArguments(stand(lines, { one: silent })));
    expect(before.code).toBe('WDR_GUARDRAIL_UNAVAILABLE');
    expect(before.publicMessage).toMatch(/^Not called/);
    expect(before.internalDetail).toBe('no word of one (timeout)');
    expect((await refusalOf(ofAnswer(stand(lines, { one: silent })))).publicMessage).toMatch(/^The call was made/);
  });

  it('that is open lets the call go on, and the record says so', async () => {
    const scene = stand(lines, { one: silent }, 'open');
    expect(await ofArguments(scene)).toEqual({});
    expect(scene.call.said).toMatchObject([{ provider: 'one', error: 'timeout' }]);
  });
});

describe('a provider that is asked after the fact', () => {
  const lines = [{ provider: 'one' }];
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('is waited for by nobody, and what it finds raises the labels of the run', async () => {
    const scene = stand(lines, { one: said(GRACE, ATTACK) });
    expect(ofAnswer(scene)).toBeUndefined();
    await settled();
    expect(scene.observed).toEqual([3]);
    expect(scene.later).toMatchObject([{ provider: 'one', phase: 'response', error: null }]);
  });

  it('taints the run by its silence where it is closed, and not where it is open', async () => {
    const closed = stand(lines, { one: silent });
    const open = stand(lines, { one: silent }, 'open');
    expect([ofArguments(closed), ofArguments(open)]).toEqual([undefined, undefined]);
    await settled();
    expect([closed.observed, open.observed]).toEqual([[1], []]);
  });
});

describe('messages before an answer that has to be looked at', () => {
  const progress = {
    method: 'notifications/progress',
    params: { progressToken: 't', progress: 1, message: 'by Grace' },
  };
  const log = { method: 'notifications/message', params: { level: 'info', data: 'by Grace' } };
  const passed = (lines: object[]) => {
    const { call, policy } = stand(lines, {});
    const sent: InterimMessage[] = [];
    const onInterim = withoutUnasked(call as Recorded, policy, (message) => sent.push(message));
    onInterim(progress);
    onInterim(log);
    return sent;
  };

  it('go on as numbers, without a word of the upstream', () => {
    expect(passed([{ provider: 'one', mode: 'wait' }])).toEqual([
      { method: 'notifications/progress', params: { progressToken: 't', progress: 1 } },
    ]);
  });

  it('go on without what stands in the place of a number', () => {
    const { call, policy } = stand([{ provider: 'one', mode: 'wait' }], {});
    const sent: InterimMessage[] = [];
    const onInterim = withoutUnasked(call as Recorded, policy, (message) => sent.push(message));
    onInterim({ method: 'notifications/progress', params: { progressToken: 't', progress: 'by Grace' } });
    onInterim({ method: 'notifications/progress', params: { progressToken: 't', progress: 1, total: ['by Grace'] } });
    expect(sent).toEqual([{ method: 'notifications/progress', params: { progressToken: 't', progress: 1 } }]);
  });

  it('go on as they are where nobody is waited for', () => {
    expect(passed([{ provider: 'one' }])).toEqual([progress, log]);
  });
});
