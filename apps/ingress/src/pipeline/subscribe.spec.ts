import { revisionOf } from '@warder/mcp-wire';
import { afterEach, describe, expect, it } from 'vitest';
import { OpenSubscriptions } from '../downstream/open-subscriptions.js';
import type { Call, Operation } from './call.js';
import { CallSwitch } from './call-signal.js';
import type { ChangeStream, Gateway, Outcome } from './gateway.js';
import { PhaseClock } from './phase-clock.js';
import { Refusal } from './refusal.js';
import { subscribe } from './subscribe.js';

const clock = { wallMs: () => 1_790_000_000_000, monotonicMs: () => performance.now() };
const limits = { subscriptionsMax: 5, subscriptionsPerPrincipalMax: 5, changesEveryMs: 1 };
const bugs: unknown[] = [];
const subscriptions = new OpenSubscriptions({
  limits,
  clock,
  isStale: () => false,
  onBug: (error) => bugs.push(error),
});
afterEach(() => subscriptions.close());

const operation = {
  callId: '0193673e-7c1f-7d5e-8a55-2f0a1b6c9d10',
  method: 'subscriptions/listen',
  virtualServer: 'dev',
  bearerToken: 'signed elsewhere',
  revision: revisionOf('2026-07-28'),
  signal: new CallSwitch(),
  phases: new PhaseClock(clock),
  findings: [],
} as unknown as Operation;

describe('a stream of changes', () => {
  it('ends once its token names another principal, and tells them nothing', async () => {
    let id = 'ana';
    const records: (string | undefined)[][] = [];
    const told: (string | undefined)[] = [];
    const gateway = {
      clock,
      subscriptions,
      tokens: {
        isStale: () => false,
        examine: () => ({
          principal: { id, status: 'active', groups: [] },
          token: { id: 'ext_1', principalId: id, createdAtMs: 0, expiresAtMs: Infinity, scopes: { tools: null } },
        }),
      },
      quotas: { take: () => 1 },
      policy: () => ({
        version: 1,
        limit: () => undefined,
        capture: () => 'full',
        visibleTools: () => ({ isUnavailable: false }),
        guardrails: () => ({ response: {} }),
      }),
      guardrails: () => ({}),
      lists: { listOf: () => ({ digest: `of ${id}` }) },
      journal: {
        close: async (call: Call, outcome: Outcome) => {
          const code = outcome.kind === 'refused' ? outcome.refusal.code : undefined;
          records.push([call.method, call.principal?.id, code]);
          return outcome;
        },
      },
    } as unknown as Gateway;
    const stream: ChangeStream = {
      knownDigest: undefined,
      endsAtMs: Infinity,
      open: (digest) => told.push(digest),
      changed: (digest) => told.push(digest) > 0,
      end: (reason: Refusal | undefined) => told.push(reason?.code),
    };
    const over = subscribe(operation, gateway, stream);
    await expect.poll(() => told).toEqual(['of ana']);
    id = 'bo';
    subscriptions.seen();
    await over;
    expect(told).toEqual(['of ana', 'WDR_CALL_REVOKED']);
    expect(records).toEqual([
      ['subscriptions/listen', 'ana', undefined],
      ['subscriptions/ended', 'ana', 'WDR_CALL_REVOKED'],
    ]);
    expect(bugs).toEqual([]);
  });
});
