import { createLogger } from '@warder/telemetry';
import {
  FAKE_AWS_KEY,
  type FixtureEra,
  type FixtureOptions,
  FixtureUpstream,
  startFixtureUpstream,
} from '@warder/testing';
import { stringifyJson } from '@warder/mcp-wire';
import { afterEach, describe, expect, it } from 'vitest';
import { createUpstream } from './create-upstream.js';
import type { InterimMessage, Upstream, UpstreamAnswer, UpstreamBounds, UpstreamCall } from './upstream.js';

const log = createLogger('spec', { level: 'silent' });
const clock = { monotonicMs: () => performance.now(), wallMs: () => Date.now() };
const toClose: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of toClose.splice(0).reverse()) await one.close();
});

async function start(options: FixtureOptions, bounds: Partial<UpstreamBounds> = {}) {
  const fixture = await startFixtureUpstream(options);
  const upstream = upstreamAt(fixture.url, bounds);
  toClose.push(fixture, upstream);
  return { fixture, upstream };
}

function upstreamAt(url: string, bounds: Partial<UpstreamBounds> = {}): Upstream {
  const settings = {
    transport: { kind: 'streamable-http' as const, url },
    timeoutMs: 5_000,
    allowPrivateAddress: true,
  };
  return createUpstream({ name: 'fixture', settings, log, clock, bounds });
}

const call = (tool: string, args: Record<string, unknown> = {}, rest: Partial<UpstreamCall> = {}): UpstreamCall => ({
  tool,
  args,
  timeoutMs: 5_000,
  ...rest,
});
const textOf = (answer: UpstreamAnswer): unknown => {
  if (!('result' in answer)) return answer.error;
  return (answer.result['content'] as { text: string }[]).map((block) => block.text).join('|');
};
const until = async (isTrue: () => boolean) => {
  const endMs = performance.now() + 5_000;
  while (!isTrue() && performance.now() < endMs) await new Promise((resolve) => setImmediate(resolve));
  expect(isTrue()).toBe(true);
};

const ERAS: readonly FixtureEra[] = ['modern', 'legacy', 'legacy-2025-06-18'];

describe.each(ERAS)('an upstream of the %s era', (era) => {
  it('lists the tools of all pages', async () => {
    const { upstream } = await start({ era });
    const names = (await upstream.discover()).map((tool) => tool.name);
    expect(names).toContain('echo');
    expect(names).toContain('headers');
    expect(new Set(names).size).toBe(names.length);
  });

  it.each([false, true])('calls a tool once, answers as event streams: %s', async (answersBySse) => {
    const { fixture, upstream } = await start({ era, answersBySse });
    expect(textOf(await upstream.call(call('echo', { text: 'grüße', nonce: 'n1' })))).toBe('grüße');
    expect(fixture.executed()).toStrictEqual([{ nonce: 'n1', tool: 'echo' }]);
  });

  it('sends the arguments text as it is, and keeps numbers of both ways to the digit', async () => {
    const { upstream } = await start({ era });
    const answer = await upstream.call(call('numbers'));
    expect(stringifyJson('result' in answer ? answer.result['structuredContent'] : undefined)).toBe(
      '{"id":9223372036854775807,"huge":1e400,"zero":-0,"ratio":1.0}',
    );
    const echoed = await upstream.call({ tool: 'echo-arguments', argsText: '{"a":[1]}', timeoutMs: 5_000 });
    expect(textOf(echoed)).toBe('{"a":[1]}');
  });

  it('passes progress of this call on, without the token of this hop', async () => {
    const { upstream } = await start({ era });
    const interim: InterimMessage[] = [];
    const onInterim = (message: InterimMessage) => void interim.push(message);
    const answer = await upstream.call(call('progress', { n: 2, text: 'half' }, { onInterim }));
    expect(textOf(answer)).toBe('finished');
    expect(interim).toStrictEqual([
      { method: 'notifications/progress', params: { progress: 1, total: 2, message: 'half' } },
      { method: 'notifications/progress', params: { progress: 2, total: 2, message: 'half' } },
    ]);
  });

  it('joins an event that arrives in pieces', async () => {
    const { upstream } = await start({ era });
    expect(textOf(await upstream.call(call('sse-split')))).toContain(`grüße, key ${FAKE_AWS_KEY}`);
  });

  it('refuses an encoding that nobody asked for', async () => {
    const { upstream } = await start({ era });
    await expect(upstream.call(call('gzip'))).rejects.toMatchObject({ reason: 'protocol', mayHaveActed: true });
  });

  it('gives tool errors and protocol errors as answers', async () => {
    const { upstream } = await start({ era });
    expect(await upstream.call(call('error', { text: 'no' }))).toMatchObject({ result: { isError: true } });
    expect(await upstream.call(call('nothing'))).toMatchObject({ error: { code: -32602 } });
  });

  it('lets no request of the server reach the agent', async () => {
    const { fixture, upstream } = await start({ era });
    const interim: InterimMessage[] = [];
    const answer = await upstream.call(call('ask', {}, { onInterim: (message) => void interim.push(message) }));
    expect(interim).toStrictEqual([]);
    expect(stringifyJson(answer)).not.toContain('password');
    const isModern = era === 'modern';
    expect('result' in answer && answer.result['isError'] === true).toBe(isModern);
    await until(() => fixture.responses.length === (isModern ? 0 : 1));
    const seen = JSON.stringify(fixture.responses);
    expect(seen).toMatch(isModern ? /^\[\]$/ : /"id":"ask-1","error":\{"code":-32601/);
  });

  it('sends the credential of each call and no header that is ours to say', async () => {
    const { upstream } = await start({ era });
    const headers = { authorization: 'Bearer upstream', 'MCP-Method': 'x', 'content-length': '1', Host: 'evil' };
    const seen = JSON.parse(
      String(textOf(await upstream.call(call('headers', {}, { credential: { kind: 'headers', values: headers } })))),
    ) as Record<string, string>;
    expect(seen['authorization']).toBe('Bearer upstream');
    expect(seen['accept-encoding']).toBe('identity');
    expect(seen['host']).toMatch(/^127\.0\.0\.1/);
    expect(seen['mcp-method']).toBe(era === 'modern' ? 'tools/call' : undefined);
    const other = JSON.parse(String(textOf(await upstream.call(call('headers'))))) as Record<string, string>;
    expect(other['authorization']).toBeUndefined();
  });

  it('reaches the upstream with a cancellation', async () => {
    const { fixture, upstream } = await start({ era });
    await upstream.call(call('echo'));
    const controller = new AbortController();
    const running = upstream.call(call('slow', { ms: 60_000, nonce: 'c' }, { signal: controller.signal }));
    await until(() => fixture.executed().some(({ nonce }) => nonce === 'c'));
    controller.abort();
    await expect(running).rejects.toMatchObject({ reason: 'cancelled', mayHaveActed: true });
    await until(() => fixture.cancelled.includes('c'));
  });

  it('ends a call at its deadline and says that it may have acted', async () => {
    const { fixture, upstream } = await start({ era });
    await upstream.call(call('echo'));
    const late = upstream.call(call('slow', { ms: 60_000, nonce: 'd' }, { timeoutMs: 50 }));
    await expect(late).rejects.toMatchObject({ reason: 'timeout', mayHaveActed: true });
    await until(() => fixture.cancelled.includes('d'));
  });

  it('refuses answers past their bound, as JSON and as event', async () => {
    const { upstream } = await start({ era }, { answerBytesMax: 10_000 });
    await expect(upstream.call(call('big', { bytes: 20_000 }))).rejects.toMatchObject({ reason: 'too-large' });
    const { upstream: streaming } = await start({ era, answersBySse: true }, { answerBytesMax: 10_000 });
    await expect(streaming.call(call('big', { bytes: 20_000 }))).rejects.toMatchObject({ reason: 'too-large' });
    expect(textOf(await streaming.call(call('echo', { text: 'on' })))).toBe('on');
  });

  it('hears that the tools changed', async () => {
    const { fixture, upstream } = await start({ era });
    let changes = 0;
    upstream.onListChanged(() => (changes += 1));
    await upstream.discover();
    await until(() => fixture.listening() === 1);
    fixture.set({ addTool: 'later' });
    await until(() => changes === 1);
    expect((await upstream.discover()).map((tool) => tool.name)).toContain('later');
    await upstream.call(
      call('echo', {}, { credential: { kind: 'headers', values: { authorization: 'Bearer another' } } }),
    );
    expect(fixture.listening()).toBe(1);
  });

  it('calls side by side without mixing answers', async () => {
    const { upstream } = await start({ era });
    const texts = Array.from({ length: 200 }, (_, i) => `t${i}`);
    const answers = await Promise.all(texts.map((text) => upstream.call(call('echo', { text }))));
    expect(answers.map(textOf)).toStrictEqual(texts);
  });
});

describe.each(['legacy', 'legacy-2025-06-18'] as const)('a session of the %s era', (era) => {
  it('is opened again when the upstream forgot it, and the call is executed once', async () => {
    const { fixture, upstream } = await start({ era });
    await upstream.call(call('forget-session', { nonce: 'f' }));
    expect(textOf(await upstream.call(call('echo', { text: 'again', nonce: 'g' })))).toBe('again');
    fixture.forgetSessions();
    const many = Array.from({ length: 20 }, (_, i) => upstream.call(call('echo', { text: 'x', nonce: `m${i}` })));
    await Promise.all(many);
    fixture.forgetSessions();
    await upstream.discover();
    await until(() => fixture.listening() > 0);
    const nonces = fixture.executed().map(({ nonce }) => nonce);
    expect(nonces).toHaveLength(22);
    expect(new Set(nonces).size).toBe(22);
  });

  it('belongs to one credential', async () => {
    const { upstream } = await start({ era });
    const session = async (headers: Record<string, string>) => {
      const answer = await upstream.call(call('headers', {}, { credential: { kind: 'headers', values: headers } }));
      return (JSON.parse(String(textOf(answer))) as Record<string, string>)['mcp-session-id'];
    };
    const first = await session({ authorization: 'Bearer a' });
    expect(await session({ authorization: 'Bearer b' })).not.toBe(first);
    expect(await session({ authorization: 'Bearer a' })).toBe(first);
  });
});

describe('an upstream whose era changes', () => {
  it.each([
    ['modern', 'legacy'],
    ['legacy', 'modern'],
  ] as const)('from %s to %s is found out without its caller noticing', async (before, after) => {
    const old = await startFixtureUpstream({ era: before });
    const port = Number(new URL(old.url).port);
    const upstream = upstreamAt(old.url);
    toClose.push(upstream);
    expect(textOf(await upstream.call(call('echo', { text: before })))).toBe(before);
    await old.close();
    // A call on a connection that broke may have acted and is not repeated; the pool drops it and dials anew.
    const renewed = await new FixtureUpstream({ era: after, port }).listen();
    toClose.unshift(renewed);
    let answer = await upstream.call(call('echo', { text: after })).catch(() => undefined);
    answer ??= await upstream.call(call('echo', { text: after }));
    expect(textOf(answer)).toBe(after);
  });
});
