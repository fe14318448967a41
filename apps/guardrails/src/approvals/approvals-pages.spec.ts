import { approvalRequestedTopic } from '@warder/contracts';
import { describe, expect, it } from 'vitest';
import type { ApprovalView } from './approval-view.js';
import { approvalPage } from './approvals-pages.js';

const { terms, ...asked } = approvalRequestedTopic.example;
const open = {
  id: 'apr_0123456789abcdef',
  status: 'pending',
  approvers: terms,
  decided: null,
  redeemed: null,
} as const;

function pageOf(sent: ApprovalView['arguments'], more: Partial<ApprovalView> = {}): string {
  const approval: ApprovalView = { ...asked, ...open, askedAtMs: 0, expiresAtMs: 0, arguments: sent, ...more };
  return approvalPage({ approval, nameOf: (id) => id, form: 'f', whyNot: null, fault: null }).html;
}

describe('the page of a question', () => {
  it('shows as escapes what turns the direction of writing or cannot be seen', () => {
    const agent = { id: 'pat_1', kind: 'pat', name: 'lap\u200btop' };
    const page = pageOf({ bytes: 30, value: { to: 'ana@\u202emoc.live\u2066' } }, { agent });
    expect(page).not.toMatch(/[\p{Cf}]/u);
    expect(page).toContain('ana@\\u202emoc.live\\u2066');
  });

  it('shows arguments that are written out whole as they are, and says of others that they are cut', () => {
    const head = '{"arguments":{"account":9007199254740993}}';
    const sha256 = asked.argumentsDigest;
    expect(pageOf({ bytes: head.length, head, sha256 })).toContain('9007199254740993');
    expect(pageOf({ bytes: head.length, head, sha256 })).not.toContain('first 16 KiB');
    expect(pageOf({ bytes: 20_000, head, sha256 })).toContain('first 16 KiB of 20000 bytes');
  });
});
