import { approvalOf, captureLevelOf, compilePolicy, providersOf } from '@warder/access';
import { Catalog } from '@warder/catalog';
import { AuditRecord, FlowSettings, PolicyDocument, type UpstreamCatalogue } from '@warder/contracts';
import { BUILT_IN_PACKS, createEngine } from '@warder/detectors';
import { revisionOf } from '@warder/mcp-wire';
import { describe, expect, it } from 'vitest';
import { NodeFlow } from '../flow/node-flow.js';
import { RunStore } from '../flow/run-store.js';
import { PrincipalQuotas } from '../quota/principal-quotas.js';
import { Recorder } from '../record/recorder.js';
import { RefusalCounter } from '../record/refusal-counter.js';
import type { Received } from './call.js';
import { CallSwitch } from './call-signal.js';
import type { Gateway, PolicyView } from './gateway.js';
import { governedCall } from './governed-call.js';
import { CALL_PHASES, PhaseClock } from './phase-clock.js';
import { Refusal } from './refusal.js';
import { callUpstream } from './steps/call-upstream.js';

const KEY = 'AKIAQ3EGRVZJXK7PLM2N';
const modern = revisionOf('2026-07-28')!;
const clock = { wallMs: () => 1_790_000_000_000, monotonicMs: () => performance.now() };
const ana = {
  version: 1,
  status: 'active',
  id: 'ana',
  kind: 'human',
  name: 'Ana',
  email: null,
  groups: ['devs'],
  roles: [],
};
const pat = {
  version: 1,
  status: 'active',
  id: 'pat_1',
  name: 'laptop',
  principalId: 'ana',
  pepperKeyId: 'p1',
  createdAtMs: 0,
  expiresAtMs: 2e12,
  scopes: { tools: null },
};

function received(exposedName: string, overrides: Partial<Received> = {}): Received {
  return {
    callId: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
    method: 'tools/call',
    virtualServer: 'dev',
    bearerToken: 'pat-ana',
    sessionPrincipalId: undefined,
    sessionId: undefined,
    receivedAtMs: 1_790_000_000_000,
    address: '10.1.2.3',
    traceId: null,
    revision: modern,
    claimed: null,
    greeted: undefined,
    signal: new CallSwitch(),
    phases: new PhaseClock(clock),
    findings: [],
    holds: [],
    exposedName,
    args: {},
    meta: {},
    clientCapabilities: {},
    progressToken: 'p1',
    wasAskedToOpen: false,
    ...overrides,
  };
}

const catalogue: UpstreamCatalogue = {
  version: 1,
  status: 'active',
  upstream: 'github',
  hash: 'h',
  node: 'n',
  tools: ['search', 'push'].map((name) => ({ hash: `${name}-hash`, definition: { name, inputSchema: {} } })),
};

function policyOf(document: object = {}): PolicyView {
  const parsed = PolicyDocument.parse({
    upstreams: { github: { transport: { kind: 'streamable-http', url: 'http://127.0.0.1:1/mcp' } } },
    virtualServers: { dev: { tools: [{ upstream: 'github', tool: '*', prefix: '' }] } },
    grants: [{ name: 'devs', effect: 'permit', to: { group: 'devs' }, tools: ['github/search'] }],
    ...document,
  });
  const compiled = compilePolicy(parsed, 7);
  const catalog = new Catalog(compiled, new Map([['github', catalogue]]), new Map());
  return {
    version: 7,
    limit: compiled.limit,
    hasVirtualServer: (name) => catalog.hasVirtualServer(name),
    resolve: (server, name) => catalog.resolveExposed(server, name),
    hiddenTool: (server, name) => catalog.hiddenTool(server, name),
    authorize: (caller, target) => catalog.authorize(caller, target),
    visibleTools: (server, caller) => catalog.visibleTools(server, caller),
    guardrails: (server) => compiled.virtualServers.get(server)!.settings.guardrails,
    capture: (server, target) => captureLevelOf(compiled.virtualServers.get(server)!.capture, target),
    providers: (server, target) => providersOf(compiled.virtualServers.get(server)!.providers, target),
    approval: (server, target) => approvalOf(compiled.virtualServers.get(server)!.approval, target),
    flow: (_server, { tool }) => ({
      bits: tool === 'push' ? 8 : 1,
      settings: { ...FlowSettings.parse(compiled.virtualServers.get('dev')!.settings.flow ?? {}), mode: 'enforce' },
      hasSinks: true,
    }),
    upstreamsOf: () => [],
    timeoutMs: () => 1_000,
  };
}

type Written = Omit<AuditRecord, 'log' | 'sequence' | 'commitment'>;

/** A gateway of real parts in memory; `reached` is the upstream's own ledger, `records` the journal's. */
function gateway(
  overrides: Partial<Gateway> = {},
  journal: Partial<ConstructorParameters<typeof Recorder>[0]['journal']> = {},
  isStrict = false,
) {
  const reached: unknown[] = [];
  const records: Written[] = [];
  const intents: Omit<Written, 'decision'>[] = [];
  const packs = Object.entries(BUILT_IN_PACKS);
  const engine = createEngine(
    packs.map(([pack, detectors]) => ({ version: 1, status: 'active', pack, detectors: [...detectors] })),
  );
  const writer = {
    append: async (record: string) => records.push(JSON.parse(record)),
    openIntent: (intent: string) => ({ sequence: intents.push(JSON.parse(intent)), written: Promise.resolve() }),
    closeIntent: async (sequence: number, outcome: string) => {
      const intent = intents[sequence - 1]!;
      const ended = JSON.parse(outcome) as Written;
      records.push({ ...intent, ...ended, personal: { ...intent.personal, ...ended.personal! } as never });
    },
    ...journal,
  };
  const counter = new RefusalCounter(
    'ingress-1',
    { windowMs: 10_000, recordsPerWindowMax: 10 },
    clock.wallMs,
    writer.append,
    () => {},
  );
  const parts: Gateway = {
    tokens: {
      examine: (token) => (token === 'pat-ana' ? { principal: ana, token: pat } : 'unknown') as never,
      holderOf: () => undefined,
      isStale: () => false,
    },
    quotas: new PrincipalQuotas(10),
    policy: () => view,
    providers: { ask: async () => ({ ms: 0, error: 'unreachable' }), toldAfter() {} },
    guardrails: () => engine,
    flow: new NodeFlow('key', new RunStore('key', { runsMax: 10, valuesMax: 1_000 }, () => false), { tell: () => {} }),
    leases: { credentialFor: () => ({ kind: 'none' }), afterRefusal: async () => undefined, prefetch() {} },
    approvals: { redeem: async () => ({ status: 'unavailable', detail: 'no owner' }) },
    upstreams: {
      listChanges: () => 0,
      send: async (call, _timeoutMs, onInterim) => {
        reached.push(JSON.parse(call.argsText));
        onInterim({ method: 'notifications/progress', params: { progress: 1, message: KEY } });
        return { result: { content: [{ type: 'text', text: `found ${KEY}` }] } };
      },
    },
    journal: new Recorder({
      node: 'ingress-1',
      journal: writer,
      counter,
      guardrails: () => engine,
      isStrict: () => isStrict,
    }),
    lists: { listOf: () => ({ text: '{}', digest: '', findings: [], withheld: 0 }) },
    sessions: { start: () => 's' },
    subscriptions: {
      enter: () => {
        throw new Error('no call subscribes');
      },
    },
    face: { server: { name: 'warder', version: '0' }, capabilities: {} },
    clock,
    ...overrides,
  };
  const view = policyOf();
  const sent: string[] = [];
  const run = (call: Received) => governedCall(call, parts, { send: (text) => sent.push(text) });
  return { parts, reached, records, intents, sent, run, counter };
}

const codeOf = (outcome: { kind: string; refusal?: Refusal }) => outcome.refusal?.code;

describe('a governed call', () => {
  it('answers a permitted call with the screened result and leaves one record with every phase stamped', async () => {
    const { run, records, sent, reached } = gateway();
    const outcome = await run(received('search', { args: { q: 'x' } }));
    expect(outcome).toMatchObject({ kind: 'answered', member: 'result', isError: false });
    expect(JSON.stringify([outcome, sent, records])).not.toContain(KEY);
    expect(sent[0]).toContain('"progressToken":"p1"');
    expect(reached).toEqual([{ q: 'x' }]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      decision: 'permit',
      outcome: 'success',
      tool: 'search',
      rule: 'devs',
      policyVersion: 7,
    });
    expect(Object.keys(records[0]!.phasesUs)).toEqual([...CALL_PHASES, 'total']);
    expect(records[0]!.findings.map(({ phase }) => phase)).toEqual(['interim', 'response']);
  });

  describe('that cannot be undone, after an answer of a stranger', () => {
    const all = { grants: [{ name: 'devs', effect: 'permit', to: { group: 'devs' }, tools: ['github/*'] }] };
    const strict = {
      virtualServers: { dev: { tools: [{ upstream: 'github', tool: '*', prefix: '' }], flow: { preset: 'strict' } } },
    };
    const READ_ID = '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d11';
    const after = async (document: object) => {
      const { run, records, reached } = gateway({
        policy: () => policyOf({ ...all, ...document }),
        approvals: {
          redeem: async () => ({ status: 'pending', id: 'apr_1', url: 'https://w.example/a', expiresAtMs: 2e12 }),
        },
      });
      expect(await run(received('push'))).toMatchObject({ kind: 'answered' });
      await run(received('search', { callId: READ_ID }));
      const outcome = await run(received('push'));
      expect(reached).toHaveLength(2);
      return { code: codeOf(outcome), flow: records.at(-1)!.flow };
    };
    const chain = [{ recordId: READ_ID, tool: 'github/search', labels: ['untrusted'] }];

    it('waits for a human, and the record names the answer: WDR_APPROVAL_REQUIRED', async () => {
      const { code, flow } = await after({});
      expect(code).toBe('WDR_APPROVAL_REQUIRED');
      expect(flow).toMatchObject({ action: 'approve', rule: 'flow.balanced.destructive', chain });
    });

    it('is refused where the preset is strict: WDR_FLOW_BLOCKED', async () => {
      const { code, flow } = await after(strict);
      expect(code).toBe('WDR_FLOW_BLOCKED');
      expect(flow).toMatchObject({ action: 'block', rule: 'flow.strict.sink', chain });
    });
  });

  it('answers unknown and forbidden tools alike, reaches no upstream, and records the rule', async () => {
    const { run, reached, records } = gateway();
    const forbidden = await run(received('push'));
    const unknown = await run(received('puhs'));
    expect([codeOf(forbidden), codeOf(unknown)]).toEqual(['WDR_TOOL_UNKNOWN', 'WDR_TOOL_UNKNOWN']);
    expect(forbidden).toMatchObject({ refusal: { publicMessage: 'Unknown tool: push' } });
    expect(reached).toEqual([]);
    expect(records.map(({ decision, personal }) => [decision, personal?.refusalDetail])).toEqual([
      ['forbid', 'default deny'],
      ['forbid', 'dev does not expose it'],
    ]);
    expect(records[0]).toMatchObject({ upstream: 'github', tool: 'push', exposedName: 'push', rule: 'default deny' });
    expect(records[1]).toMatchObject({ upstream: null, tool: null, exposedName: 'puhs', rule: null });
  });

  it('waits for a human where the policy says so, reaches no upstream, and its record names what holds it', async () => {
    const server = { tools: [{ upstream: 'github', tool: '*', prefix: '' }], approval: { tools: { 'github/*': {} } } };
    const view = policyOf({ virtualServers: { dev: server } });
    const found = {
      status: 'pending',
      id: 'apr_0123456789abcdef',
      url: 'https://w/approvals/x',
      expiresAtMs: 1,
    } as const;
    const { run, reached, records } = gateway({ policy: () => view, approvals: { redeem: async () => found } });
    expect(codeOf(await run(received('search')))).toBe('WDR_APPROVAL_REQUIRED');
    expect(reached).toEqual([]);
    expect(records[0]).toMatchObject({ decision: 'forbid', rule: 'policy.approval', approval: 'apr_0123456789abcdef' });
    const redeemed = { status: 'redeemed', id: 'apr_0123456789abcdef' } as const;
    const again = gateway({ policy: () => view, approvals: { redeem: async () => redeemed } });
    expect((await again.run(received('search'))).kind).toBe('answered');
    expect(again.reached).toHaveLength(1);
    expect(again.records[0]).toMatchObject({ outcome: 'success', rule: 'devs', approval: 'apr_0123456789abcdef' });
  });

  it('keeps secrets out of the record of a call that was refused before anything screened it', async () => {
    const { run, records } = gateway();
    await run(received('push', { args: { note: `use ${KEY}` } }));
    expect(records[0]!.personal?.arguments).not.toBeNull();
    expect(JSON.stringify(records)).not.toContain(KEY);
  });

  it('keeps a secret out of the record that a client wrote for the name of a tool', async () => {
    const { run, records } = gateway();
    expect(codeOf(await run(received(KEY)))).toBe('WDR_TOOL_UNKNOWN');
    expect(records[0]).toMatchObject({ exposedName: '[redacted:secret.aws-access-key]', method: 'tools/call' });
  });

  it('keeps secrets out of the record even where the virtual server lets them pass', async () => {
    const off = { secret: 'off', pii: 'off', injection: 'off', hidden: 'off' };
    const server = {
      tools: [{ upstream: 'github', tool: '*', prefix: '' }],
      guardrails: { request: off, response: off },
    };
    const { run, records, reached } = gateway({ policy: () => policyOf({ virtualServers: { dev: server } }) });
    const outcome = await run(received('search', { args: { note: KEY } }));
    expect(reached).toEqual([{ note: KEY }]);
    expect(JSON.stringify(outcome)).toContain(KEY);
    expect(JSON.stringify(records)).not.toContain(KEY);
  });

  it('writes no record of its own for a stranger: WDR_TOKEN_UNKNOWN is counted', async () => {
    const { run, records, counter } = gateway();
    expect(codeOf(await run(received('search', { bearerToken: 'x' })))).toBe('WDR_TOKEN_UNKNOWN');
    expect(codeOf(await run(received('search', { bearerToken: 'y' })))).toBe('WDR_TOKEN_UNKNOWN');
    expect(records).toEqual([]);
    await counter.flush();
    expect(records).toMatchObject([
      { kind: 'authentication', count: 2, personal: { address: '10.1.2.3' }, principal: null },
    ]);
  });

  it('lets nobody in while identity is silent for too long: WDR_IDENTITY_STALE', async () => {
    const { parts, run } = gateway();
    (parts.tokens as { isStale: unknown }).isStale = () => true;
    expect(codeOf(await run(received('search')))).toBe('WDR_IDENTITY_STALE');
  });

  it('refuses a session of another principal: WDR_SESSION_UNKNOWN', async () => {
    const { run, records, reached } = gateway();
    expect(codeOf(await run(received('search', { sessionPrincipalId: 'bo' })))).toBe('WDR_SESSION_UNKNOWN');
    expect(reached).toEqual([]);
    // Who tried is known, and so it is on record.
    expect(records).toMatchObject([{ principal: { id: 'ana' }, refusal: { code: 'WDR_SESSION_UNKNOWN' } }]);
  });

  it('refuses when the bucket is empty and says when to come back: WDR_RATE_LIMITED', async () => {
    const view = policyOf({ limit: { callsPerMinute: 1, burst: 1 } });
    const { run, records } = gateway({ policy: () => view });
    await run(received('search'));
    const outcome = await run(received('search', { args: { q: 'x' } }));
    expect(codeOf(outcome)).toBe('WDR_RATE_LIMITED');
    // Neither screened nor kept: a flood past the quota must cost little.
    expect(records[1]).toMatchObject({ principal: { id: 'ana' }, personal: { arguments: null } });
    expect(outcome).toMatchObject({ refusal: { facts: { retryAfterMs: expect.any(Number) } } });
    expect(records).toHaveLength(2);
  });

  it('blocks arguments before the upstream hears of them: WDR_GUARDRAIL_BLOCKED', async () => {
    const server = {
      tools: [{ upstream: 'github', tool: '*', prefix: '' }],
      guardrails: { request: { secret: 'block' } },
    };
    const { run, reached, records } = gateway({ policy: () => policyOf({ virtualServers: { dev: server } }) });
    expect(codeOf(await run(received('search', { args: { note: KEY } })))).toBe('WDR_GUARDRAIL_BLOCKED');
    expect(reached).toEqual([]);
    expect(records[0]).toMatchObject({ decision: 'forbid', findings: [{ action: 'block', phase: 'request' }] });
    expect(JSON.stringify(records)).not.toContain(KEY);
  });

  it('blocks an answer, and the record still says that the upstream acted', async () => {
    const server = {
      tools: [{ upstream: 'github', tool: '*', prefix: '' }],
      guardrails: { response: { secret: 'block' } },
    };
    const { run, reached, records, sent } = gateway({ policy: () => policyOf({ virtualServers: { dev: server } }) });
    expect(codeOf(await run(received('search')))).toBe('WDR_GUARDRAIL_BLOCKED');
    expect(reached).toHaveLength(1);
    expect(sent).toEqual([]);
    expect(records[0]).toMatchObject({ decision: 'permit', outcome: 'failure', personal: { result: null } });
  });

  it('does not call an upstream whose credential is gone: WDR_CREDENTIAL_MISSING', async () => {
    const { run, reached } = gateway({
      leases: {
        credentialFor: async () => ({ kind: 'missing', detail: 'revoked' }),
        afterRefusal: async () => undefined,
        prefetch() {},
      },
    });
    expect(codeOf(await run(received('search')))).toBe('WDR_CREDENTIAL_MISSING');
    expect(reached).toEqual([]);
  });

  it('refuses before the upstream is reached when the journal is full: WDR_JOURNAL_FULL', async () => {
    const full = () => {
      throw Object.assign(new Error('at its bound'), { name: 'JournalFullError' });
    };
    const { run, reached } = gateway({}, { openIntent: full, append: async () => full() });
    expect(codeOf(await run(received('search')))).toBe('WDR_JOURNAL_FULL');
    expect(codeOf(await run(received('push')))).toBe('WDR_JOURNAL_FULL');
    expect(reached).toEqual([]);
  });

  it('refuses where the disk fails under the intent, which the journal then closes itself: WDR_JOURNAL_FULL', async () => {
    const failed = Promise.reject(Object.assign(new Error('no disk'), { name: 'JournalFullError' }));
    failed.catch(() => undefined);
    const { run, reached, records } = gateway({}, { openIntent: () => ({ sequence: 1, written: failed }) });
    expect(codeOf(await run(received('search')))).toBe('WDR_JOURNAL_FULL');
    expect(reached).toEqual([]);
    expect(records).toEqual([]);
  });

  it('of a strict server waits for the disk before the upstream is called, and before the answer or refusal leaves', async () => {
    const asked: string[] = [];
    const waiting: (() => void)[] = [];
    const onDisk = (what: string, how?: { strict?: boolean }) => {
      asked.push(`${what} ${how?.strict}`);
      return new Promise<void>((resolve) => waiting.push(resolve));
    };
    const { run, reached } = gateway(
      {},
      {
        openIntent: (_intent, how) => ({ sequence: 1, written: onDisk('intent', how) }),
        closeIntent: (_sequence, _outcome, how) => onDisk('outcome', how),
        append: (_record, how) => onDisk('record', how).then(() => 1),
      },
      true,
    );
    const left: string[] = [];
    void run(received('search')).then(({ kind }) => left.push(kind));
    void run(received('unknown')).then(({ kind }) => left.push(kind));
    await expect.poll(() => asked.toSorted(), { timeout: 10_000 }).toEqual(['intent true', 'record true']);
    expect([reached, left]).toEqual([[], []]);
    for (const release of waiting.splice(0)) release();
    await expect.poll(() => asked, { timeout: 10_000 }).toContain('outcome true');
    expect([reached.length, left]).toEqual([1, ['refused']]);
    for (const release of waiting.splice(0)) release();
    await expect.poll(() => left, { timeout: 10_000 }).toEqual(['refused', 'answered']);
  });

  it('turns a bug into WDR_INTERNAL with nothing of its inside, on record', async () => {
    const upstreams = {
      listChanges: () => 0,
      send: async () => {
        throw new TypeError(`cannot read ${KEY}`);
      },
    };
    const { run, records } = gateway({ upstreams });
    const outcome = await run(received('search'));
    expect(codeOf(outcome)).toBe('WDR_INTERNAL');
    expect(records[0]).toMatchObject({
      outcome: 'unknown',
      refusal: { code: 'WDR_INTERNAL' },
      personal: { refusalDetail: 'TypeError' },
    });
  });

  it('closes its record also when that fails on a bug: open, it would hold the journal’s room', async () => {
    const response = { secret: 'off', pii: 'off', injection: 'off', hidden: 'off' };
    const request = { ...response, secret: 'redact', pii: 'redact' };
    const server = { tools: [{ upstream: 'github', tool: '*', prefix: '' }], guardrails: { request, response } };
    const closed: unknown[] = [];
    const writer = {
      append: async () => 1,
      openIntent: () => ({ sequence: 7, written: Promise.resolve() }),
      closeIntent: async (sequence: number, outcome: string) => void closed.push(sequence, JSON.parse(outcome)),
    };
    const broken = {
      version: 1,
      screen: () => {
        throw new TypeError('a bug of the engine');
      },
      actionsFor: () => {
        throw new TypeError('a bug of the engine');
      },
    };
    const guardrails = () => broken;
    const journal = new Recorder({
      node: 'ingress-1',
      journal: writer,
      counter: gateway().counter,
      guardrails,
      isStrict: () => false,
    });
    const { run } = gateway({ policy: () => policyOf({ virtualServers: { dev: server } }), journal });
    expect(codeOf(await run(received('search')))).toBe('WDR_INTERNAL');
    expect(closed).toMatchObject([
      7,
      { outcome: 'unknown', refusal: { code: 'WDR_INTERNAL' }, personal: { result: null } },
    ]);
  });

  it('refuses everything before a policy was read: WDR_STATE_NOT_READY', async () => {
    const policy = () => {
      throw new Refusal('WDR_STATE_NOT_READY', 'starting', 'no policy');
    };
    expect(codeOf(await gateway({ policy }).run(received('search')))).toBe('WDR_STATE_NOT_READY');
  });

  it('does not trouble the upstream with a call that was given up meanwhile', async () => {
    const given = new CallSwitch();
    given.abort(new Refusal('WDR_CALL_REVOKED', 'gone', 'token stopped'));
    const { run, reached, records } = gateway();
    expect(codeOf(await run(received('search', { signal: given })))).toBe('WDR_CALL_REVOKED');
    expect(reached).toEqual([]);
    expect(records).toHaveLength(1);
  });

  it('cannot skip authorization: an undecided call is not a Recorded call', () => {
    const { parts } = gateway();
    // @ts-expect-error a Received call has no decision, no credential and no record
    const skip = () => callUpstream(received('search'), parts.upstreams, parts.policy(), () => undefined);
    expect(skip).toBeTypeOf('function');
  });
});
