import type { Hold } from '@warder/contracts';
import { revisionOf } from '@warder/mcp-wire';
import { describe, expect, it } from 'vitest';
import { boundOf } from '../../approvals/call-binding.js';
import type { Credentialed } from '../call.js';
import type { ApprovalFound, PolicyView } from '../gateway.js';
import type { Refusal } from '../refusal.js';
import { redeemApproval } from './redeem-approval.js';

const hold: Hold = { by: 'flow', rule: 'flow.balanced', reason: 'it deletes after untrusted content was read' };
const terms = { by: ['ops'], fourEyes: true, minutes: 5 };
const id = 'apr_0123456789abcdef';
const url = `https://warder.example/approvals/${id}`;
const pending: ApprovalFound = { status: 'pending', id, url, expiresAtMs: Date.UTC(2026, 10, 30) };

function callWith(holds: Hold[], more: object = {}): Credentialed {
  const base = { callId: 'c1', exposedName: 'db__drop', clientCapabilities: {}, wasAskedToOpen: false };
  return { ...base, revision: revisionOf('2026-07-28'), holds, ...more } as unknown as Credentialed;
}
const policyOf = (isAlwaysHeld: boolean) => ({ approval: () => ({ isAlwaysHeld, terms }) }) as unknown as PolicyView;
const finding = (found: ApprovalFound) => ({ redeem: async () => found });

async function refusalOf(found: ApprovalFound, more: object = {}, isAlwaysHeld = false): Promise<Refusal> {
  const call = callWith(isAlwaysHeld ? [] : [hold], more);
  return Promise.resolve(redeemApproval(call, policyOf(isAlwaysHeld), finding(found))).then(
    () => expect.unreachable('it went through'),
    (thrown: Refusal) => thrown,
  );
}

describe('a call that nothing holds', () => {
  it('goes on at once, and nobody is asked', () => {
    const asked = { redeem: () => expect.unreachable('it was asked') };
    expect(redeemApproval(callWith([]), policyOf(false), asked)).toEqual({ approval: null });
  });
});

describe('a held call', () => {
  it('goes on with the approval that it used up, whose name is kept', async () => {
    const call = callWith([hold], { cleanMeta: {} });
    const cleared = await redeemApproval(call, policyOf(false), finding({ status: 'redeemed', id }));
    expect(cleared).toEqual({ approval: { id }, cleanMeta: {} });
  });

  it('goes on without what nobody was shown: of its _meta only the trace is sent', async () => {
    const cleanMeta = { traceparent: '00-1', 'claudecode/toolUseId': 'toolu_A', recipient: 'mallory' };
    const found = finding({ status: 'redeemed', id });
    const cleared = await redeemApproval(callWith([hold], { cleanMeta }), policyOf(false), found);
    expect(cleared.cleanMeta).toEqual({ traceparent: '00-1' });
  });

  it('is the same call whatever its client puts into _meta', () => {
    const call = {
      principal: { id: 'usr_ana' },
      token: { id: 'pat_1', name: 'laptop' },
      target: { upstream: 'db', tool: 'drop', definitionHash: 'h' },
      virtualServer: 'dev',
      cleanArgs: { table: 'users' },
    };
    const bindingOf = (toolUseId: string) =>
      boundOf({ ...call, cleanMeta: { 'claudecode/toolUseId': toolUseId } } as unknown as Credentialed).binding;
    expect(bindingOf('toolu_A')).toBe(bindingOf('toolu_B'));
  });

  it('is told where people decide: WDR_APPROVAL_REQUIRED, by the rule that holds it', async () => {
    const refusal = await refusalOf(pending);
    expect(refusal.code).toBe('WDR_APPROVAL_REQUIRED');
    expect(refusal.publicMessage).toContain(`(approval ${id}) at ${url} until 2026-11-30T00:00Z`);
    expect(refusal.facts).toMatchObject({ rule: 'flow.balanced', approval: id });
    expect(refusal.internalDetail).toBe('held by flow flow.balanced');
    expect((await refusalOf(pending, {}, true)).facts.rule).toBe('policy.approval');
  });

  it('has the page opened once by a client that can, of either era, and no other', async () => {
    const urls = { clientCapabilities: { elicitation: { url: {} } } };
    const asked = { id: 'c1', url, message: `Have “db__drop” approved (${id}) to go on` };
    expect((await refusalOf(pending, urls)).facts.asked).toEqual(asked);
    expect((await refusalOf(pending, { ...urls, revision: revisionOf('2025-11-25') })).facts.asked).toEqual(asked);
    const words = [
      { ...urls, wasAskedToOpen: true },
      { ...urls, revision: revisionOf('2025-06-18') },
      { clientCapabilities: { elicitation: {} } },
    ];
    for (const more of words) expect((await refusalOf(pending, more)).facts.asked).toBeUndefined();
  });

  it.each([
    [{ status: 'denied', id, reason: 'not today' }, 'WDR_APPROVAL_DENIED', 'not today'],
    [{ status: 'limit' }, 'WDR_APPROVAL_LIMIT', 'too many'],
    [{ status: 'unavailable', detail: 'no answer within 2000 ms' }, 'WDR_APPROVAL_UNAVAILABLE', 'at the moment'],
  ] as const)('that is %j is refused: %s', async (found, code, words) => {
    const refusal = await refusalOf(found);
    expect(refusal.code).toBe(code);
    expect(refusal.publicMessage).toContain(words);
  });
});
