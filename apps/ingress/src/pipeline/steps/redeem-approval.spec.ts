import type { Hold } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import type { Credentialed } from '../call.js';
import { Refusal } from '../refusal.js';
import { redeemApproval } from './redeem-approval.js';

const hold: Hold = { by: 'flow', rule: 'flow.balanced', reason: 'it deletes after untrusted content was read' };
const callWith = (holds: Hold[]) => ({ holds }) as unknown as Credentialed;

describe('a call', () => {
  it('that nothing holds goes on without an approval', () => {
    expect(redeemApproval(callWith([]))).toEqual({ approval: null });
  });

  it('that something holds is refused, and the record names every rule: WDR_APPROVAL_REQUIRED', () => {
    const held = () => redeemApproval(callWith([hold, { ...hold, by: 'policy', rule: 'policy.approval' }]));
    expect(held).toThrow(Refusal);
    expect(held).toThrow('WDR_APPROVAL_REQUIRED: held by flow flow.balanced, policy policy.approval');
  });
});
