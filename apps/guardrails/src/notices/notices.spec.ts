import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { approvalRequestedTopic } from '@warder/contracts';
import { FAKE_AWS_KEY, FakeNoticeReceiver } from '@warder/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApprovalsScene } from '../approvals/approvals.scene.js';
import type { DeadLetter, WebhookReport } from './notice-rows.js';

const secretOf = (letter: string) => `whsec_${Buffer.from(letter.repeat(32)).toString('base64')}`;
const [OLD, NEW] = [secretOf('o'), secretOf('n')];
const WAIT = { timeout: 15_000, interval: 10 };

const dir = mkdtempSync(join(tmpdir(), 'warder-notices-'));
const secretFile = (name: string, secret: string): string => {
  writeFileSync(join(dir, name), secret, { mode: 0o600 });
  return join(dir, name);
};
const terms = { by: ['release'], fourEyes: false, minutes: 10 };
const asker = { principalId: 'ana', terms };
let scene: ApprovalsScene;
let chat: FakeNoticeReceiver;
let ops: FakeNoticeReceiver;

beforeAll(async () => {
  [chat, ops] = await Promise.all([
    FakeNoticeReceiver.start(OLD, () => scene.clock.wallMs()),
    FakeNoticeReceiver.start(OLD, () => scene.clock.wallMs()),
  ]);
  const common = {
    allowPrivateAddress: true,
    firstRetryMs: 20,
    lastRetryMs: 40,
    attemptsMax: 3,
    requestTimeoutMs: 500,
  };
  const files = { secretFiles: [secretFile('chat', OLD)] };
  const webhooks = {
    chat: { url: `${chat.receiver.url}/hooks/approvals`, ...files, ...common, waitingMax: 4, deadLettersMax: 2 },
    ops: {
      url: ops.receiver.url,
      secretFiles: [secretFile('ops', OLD)],
      ...common,
      events: ['requested'],
      groups: ['operations'],
      arguments: true,
    },
    // Nobody listens, and it is not asked again for an hour.
    full: {
      ...common,
      ...files,
      url: 'http://127.0.0.1:9/',
      groups: ['full'],
      waitingMax: 1,
      firstRetryMs: 3_600_000,
      lastRetryMs: 3_600_000,
    },
    // A public name may lead to a private address: nothing is dialled there.
    guarded: { ...common, url: 'http://127.0.0.1:9/', ...files, groups: ['guarded'], allowPrivateAddress: false },
  };
  scene = new ApprovalsScene();
  await scene.start({ webhooks, lookEveryMs: 20 });
  await scene.know('ana', { groups: ['release'] });
  await scene.know('ben', { groups: ['release', 'operations', 'guarded'] });
  await scene.know('root', { roles: ['admin'] });
});
afterAll(async () => {
  await scene?.stop();
  await Promise.all([chat?.receiver.stop(), ops?.receiver.stop()]);
  rmSync(dir, { recursive: true, force: true });
});
afterEach(() => {
  for (const { receiver } of [chat, ops]) receiver.faults.length = 0;
});

const door = async <Body>(path: string, method = 'GET', as = 'root'): Promise<{ status: number; body: Body }> => {
  const headers = { authorization: `Bearer ${scene.bearers.get(as)}` };
  const answer = await fetch(`${scene.running.url}/admin/guardrails/approval-webhooks${path}`, { method, headers });
  return { status: answer.status, body: (await answer.json()) as Body };
};
const report = async (name: string): Promise<WebhookReport> => {
  const { body } = await door<{ webhooks: WebhookReport[] }>('');
  return body.webhooks.find((each) => each.name === name)!;
};
const deadLetters = async (name: string): Promise<DeadLetter[]> =>
  (await door<{ deadLetters: DeadLetter[] }>(`/${name}/dead-letters`)).body.deadLetters;
/** Without answers of the receiver until the returned function is called. */
function silence(receiver: FakeNoticeReceiver): () => void {
  const down = { status: 503, body: '' } as const;
  receiver.receiver.faults.push(...Array.from({ length: 500 }, () => down));
  return () => void (receiver.receiver.faults.length = 0);
}
const postsOf = (receiver: FakeNoticeReceiver, approvalId: string | null) =>
  receiver.receiver.requests.filter(({ body }) => body.includes(approvalId!));

describe('approvers', () => {
  it('are told that they are asked, by whom, what and where, and then what became of it', async () => {
    const { approvalId } = await scene.hold('told', asker);
    await vi.waitUntil(() => chat.about(approvalId!).length === 1, WAIT);
    await scene.decide(approvalId, 'ben');
    await scene.hold('told', asker);
    await vi.waitUntil(() => chat.about(approvalId!).length === 3, WAIT);
    const {
      arguments: _arguments,
      argumentsDigest,
      agent,
      virtualServer,
      upstream,
      tool,
    } = approvalRequestedTopic.example;
    expect(chat.about(approvalId!)[0]).toMatchObject({
      type: 'warder.approval.requested',
      data: {
        status: 'pending',
        url: `${new URL(scene.running.url).origin}/approvals/${approvalId}`,
        principal: { id: 'ana', name: 'ana' },
        argumentsDigest,
        agent,
        virtualServer,
        upstream,
        tool,
        approvers: { groups: ['release'], fourEyes: false },
        heldBy: [{ by: 'policy', rule: 'policy.approval' }],
        decided: null,
      },
    });
    expect(chat.about(approvalId!)[0]?.data).not.toHaveProperty('arguments');
    expect(chat.about(approvalId!).slice(1)).toMatchObject([
      {
        type: 'warder.approval.decided',
        data: { status: 'approved', decided: { by: { id: 'ben' }, reason: 'as agreed' } },
      },
      { type: 'warder.approval.decided', data: { status: 'redeemed', callId: expect.any(String) } },
    ]);
    expect(postsOf(chat, approvalId).map(({ path }) => path)).toEqual(Array(3).fill('/hooks/approvals'));
  });

  it('of the groups that decide are told where a receiver is for some, and of arguments where the operator said so', async () => {
    const other = await scene.hold('not for operations', asker);
    const value = { arguments: { host: 'db-1', password: '[redacted:secret.assigned]' } };
    const theirs = await scene.hold('for operations', {
      ...asker,
      arguments: { bytes: 60, value },
      terms: { ...terms, by: ['operations', 'release'] },
    });
    await vi.waitUntil(() => ops.about(theirs.approvalId!).length === 1, WAIT);
    expect(ops.about(theirs.approvalId!)[0]?.data['arguments']).toEqual({ bytes: 60, value });
    await scene.decide(theirs.approvalId, 'ben');
    await vi.waitUntil(() => chat.about(theirs.approvalId!).length === 2, WAIT);
    expect(postsOf(ops, other.approvalId).length).toBe(0);
    expect(ops.about(theirs.approvalId!).length).toBe(1);
  });

  it('hear of the question before the answer, however often the first post of it fails', async () => {
    chat.receiver.faults.push('reset-before', { status: 500, body: '' });
    const { approvalId } = await scene.hold('in order', asker);
    await scene.decide(approvalId, 'ben', 'deny');
    await vi.waitUntil(() => chat.about(approvalId!).length === 2, WAIT);
    expect(chat.about(approvalId!).map(({ data }) => data['status'])).toEqual(['pending', 'denied']);
  });

  it('hear of it once: a post whose answer was lost comes again under its id', async () => {
    chat.receiver.faults.push('reset-after');
    const { approvalId } = await scene.hold('lost answer', asker);
    await vi.waitUntil(() => postsOf(chat, approvalId).length === 2, WAIT);
    const ids = postsOf(chat, approvalId).map(({ headers }) => headers['webhook-id']);
    expect([new Set(ids).size, chat.about(approvalId!).length]).toEqual([1, 1]);
    await scene.decide(approvalId, 'ben', 'deny');
  });

  it('are told while the secret is being changed, without a restart, whichever of the two they hold', async () => {
    secretFile('ops', NEW);
    ops.secret = NEW;
    const { approvalId } = await scene.hold('new secret', { ...asker, terms: { ...terms, by: ['operations'] } });
    await expect.poll(() => ops.about(approvalId!).length, WAIT).toBe(1);
  });

  it('are posted nothing at a private address that no operator named as such, and no redirect is followed', async () => {
    const { approvalId } = await scene.hold('guarded', { ...asker, terms: { ...terms, by: ['guarded'] } });
    await vi.waitUntil(async () => (await report('guarded')).deadLetters === 1, WAIT);
    expect((await deadLetters('guarded'))[0]).toMatchObject({ approvalId, attempts: 3 });
    expect((await report('guarded')).lastError).toMatch(/private|loopback|not allowed|refused/i);
    const before = chat.receiver.requests.length;
    chat.receiver.faults.push({ status: 307, headers: { location: `${ops.receiver.url}/elsewhere` }, body: '' });
    const moved = await scene.hold('moved', asker);
    await vi.waitUntil(() => chat.about(moved.approvalId!).length === 1, WAIT);
    expect(chat.receiver.requests.length).toBeGreaterThanOrEqual(before + 2);
    expect(ops.receiver.requests.some(({ path }) => path === '/elsewhere')).toBe(false);
  });
});

describe('a receiver that does not take them', () => {
  it('leaves a dead letter after so many posts, which an operator sees and sends once more, on record', async () => {
    const hear = silence(chat);
    const { approvalId } = await scene.hold('dead', asker);
    await vi.waitUntil(async () => (await deadLetters('chat')).length === 1, WAIT);
    const [letter] = await deadLetters('chat');
    expect(letter).toMatchObject({
      approvalId,
      event: 'requested',
      attempts: 3,
      lastError: 'the receiver answered 503',
    });
    hear();
    const path = `/chat/dead-letters/${letter!.id}/retry`;
    expect((await door(path, 'POST', 'ben')).status).toBe(403);
    expect((await door(path, 'POST')).status).toBe(202);
    await vi.waitUntil(() => chat.about(approvalId!).length === 1, WAIT);
    expect(await door(path, 'POST')).toMatchObject({
      status: 404,
      body: { error: { code: 'WDR_APPROVAL_NOTICE_UNKNOWN' } },
    });
    await expect
      .poll(() => scene.records.filter(({ method }) => method.endsWith('approval-notice.retry')).length)
      .toBe(1);
  });

  it('is posted nothing more where it says that it is gone', async () => {
    chat.receiver.faults.push({ status: 410, body: '' });
    const { approvalId } = await scene.hold('gone', asker);
    await vi.waitUntil(
      async () => (await deadLetters('chat')).some((letter) => letter.approvalId === approvalId),
      WAIT,
    );
    expect(postsOf(chat, approvalId).length).toBe(1);
  });

  it('holds up neither a held call nor another receiver, has a bound, and what is beyond it is counted', async () => {
    const hear = silence(chat);
    await scene.know('flood', { groups: ['release'] });
    const before = await report('chat');
    const many = { ...asker, principalId: 'flood', terms: { ...terms, by: ['release', 'operations'] } };
    const held = await Promise.all(Array.from({ length: 12 }, (_, n) => scene.hold(`flood ${n}`, many)));
    expect(held.map(({ status }) => status)).toEqual(Array(12).fill('pending'));
    await vi.waitUntil(() => held.every(({ approvalId }) => ops.about(approvalId!).length === 1), WAIT);
    const after = await report('chat');
    expect(after.dropped).toBeGreaterThan(before.dropped);
    expect(after.waiting).toBeLessThanOrEqual(4);
    hear();
  });

  it('is not tested where as many wait as may', async () => {
    await scene.hold('full', { ...asker, terms: { ...terms, by: ['full'] } });
    expect(await door('/full/test', 'POST')).toMatchObject({
      status: 409,
      body: { error: { code: 'WDR_APPROVAL_WEBHOOK_FULL' } },
    });
    expect(await report('full')).toMatchObject({ waiting: 1, dropped: 0 });
  });

  it('is not posted a question that is over meanwhile', async () => {
    await vi.waitUntil(async () => (await report('chat')).waiting === 0, WAIT);
    const hear = silence(chat);
    const { approvalId } = await scene.hold('over', { ...asker, terms: { ...terms, minutes: 1 } });
    await vi.waitUntil(() => postsOf(chat, approvalId).length === 1, WAIT);
    scene.aheadMs += 61_000;
    await vi.waitUntil(
      async () => (await deadLetters('chat')).some((letter) => letter.approvalId === approvalId),
      WAIT,
    );
    hear();
    await vi.waitUntil(() => chat.about(approvalId!).length > 0, WAIT);
    expect(chat.about(approvalId!).map(({ data }) => data['status'])).toEqual(['expired']);
  });
});

it('shows neither a body nor a secret at the door, refuses names that there are not, and tests a receiver', async () => {
  const shown = JSON.stringify([await report('chat'), await report('ops'), await deadLetters('chat')]);
  for (const secret of [OLD, NEW]) expect(shown).not.toContain(secret.slice(6, 30));
  expect(shown).not.toContain(FAKE_AWS_KEY);
  expect(await door('/nobody/dead-letters')).toMatchObject({
    status: 404,
    body: { error: { code: 'WDR_APPROVAL_WEBHOOK_UNKNOWN' } },
  });
  expect((await door('/chat/dead-letters?before=x')).status).toBe(400);
  const tests = () => [...ops.notices.values()].filter(({ type }) => type === 'warder.approval.test').length;
  expect((await door('/ops/test', 'POST')).status).toBe(202);
  await vi.waitUntil(() => tests() === 1, WAIT);
});
