import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApprovalsScene } from './approvals.scene.js';

const scene = new ApprovalsScene();
const terms = { by: ['release'], fourEyes: false, minutes: 10 };
const asker = { principalId: 'ana', terms };
const MINUTES = 60_000;

beforeAll(async () => {
  await scene.start({ openPerPrincipalMax: 30 });
  await scene.know('ana', { groups: ['release'] });
  await scene.know('ben', { groups: ['release'] });
  await scene.know('cy');
  await scene.know('root', { roles: ['admin'] });
  await scene.know('bot', { kind: 'service', groups: ['release'], ownerId: 'ben' });
});
afterAll(() => scene.stop());

/** A call that was asked about and approved by ben. */
async function approved(what: string, more: object = {}): Promise<string> {
  const { approvalId } = await scene.hold(what, { ...asker, ...more });
  expect((await scene.decide(approvalId, 'ben')).status).toBe(200);
  return approvalId!;
}
const acts = (id: string) =>
  scene.records
    .filter((record) => JSON.stringify(record.personal?.arguments).includes(id))
    .map(({ method }) => method.split('.').at(-1));

describe('a held call', () => {
  it('asks once however often it comes, goes through once after a yes, and asks anew after that', async () => {
    const first = await scene.hold('once', asker);
    expect(first).toMatchObject({ status: 'pending', approvalId: expect.stringMatching(/^apr_/), reason: null });
    expect(await scene.hold('once', asker)).toMatchObject({ status: 'pending', approvalId: first.approvalId });
    expect((await scene.decide(first.approvalId, 'ben')).body).toMatchObject({
      status: 'approved',
      decided: { by: 'ben', reason: 'as agreed' },
    });
    const tries = await Promise.all(Array.from({ length: 50 }, () => scene.hold('once', asker)));
    expect(tries.filter(({ status }) => status === 'redeemed')).toHaveLength(1);
    expect(new Set(tries.filter(({ status }) => status === 'pending').map(({ approvalId }) => approvalId)).size).toBe(
      1,
    );
    await expect.poll(() => acts(first.approvalId!)).toEqual(['ask', 'approve', 'redeem']);
    expect(scene.decided.filter(({ approvalId }) => approvalId === first.approvalId)).toMatchObject([
      { decision: 'approved', deciderId: 'ben' },
      { decision: 'redeemed', callId: expect.any(String) },
    ]);
  });

  it('that is delivered twice is answered alike, and uses up no other', async () => {
    await approved('twice');
    const requestId = randomUUID();
    const one = await scene.hold('twice', { ...asker, requestId });
    scene.answers.length = 0;
    expect(await scene.hold('twice', { ...asker, requestId })).toEqual(one);
    expect(one.status).toBe('redeemed');
  });

  it('is asked about whatever characters its arguments hold', async () => {
    const value = { text: 'a\0b', half: '\ud800' };
    const { status, approvalId } = await scene.hold('odd', { ...asker, arguments: { bytes: 30, value } });
    expect(status).toBe('pending');
    expect((await scene.ask('GET', `/${approvalId}`, 'ben')).body.arguments).toEqual({ bytes: 30, value });
  });

  it('is not approved by the yes to another one', async () => {
    const id = await approved('these arguments');
    const other = await scene.hold('other arguments', asker);
    expect([other.status, other.approvalId === id]).toEqual(['pending', false]);
  });

  it('that was denied is told so with the reason, and nobody is asked again while that stands', async () => {
    const { approvalId } = await scene.hold('no', asker);
    await scene.decide(approvalId, 'ben', 'deny');
    expect(await scene.hold('no', asker)).toMatchObject({ status: 'denied', approvalId, reason: 'as agreed' });
    expect((await scene.decide(approvalId, 'ben')).code).toBe('WDR_APPROVAL_CLOSED');
  });

  it.each([
    ['the policy', { policyVersion: 8 }],
    ['a guardrail rule', { guardrailsVersion: 5 }],
  ])('is not let through by a yes that was said before %s changed', async (what, change) => {
    const id = await approved(what);
    expect(await scene.hold(what, { ...asker, ...change })).toMatchObject({ status: 'pending' });
    await expect.poll(() => acts(id)).toEqual(['ask', 'approve', 'outdate']);
  });

  it('is not let through by the yes of somebody who was suspended since', async () => {
    await scene.know('dan', { groups: ['release'] });
    const { approvalId } = await scene.hold('dan', asker);
    expect((await scene.decide(approvalId, 'dan')).status).toBe(200);
    await scene.know('dan', { groups: ['release'], status: 'suspended' });
    expect(await scene.hold('dan', asker)).toMatchObject({ status: 'pending' });
  });

  it('is let through by no yes whose time is over, and by none that comes too late', async () => {
    const id = await approved('late');
    const { approvalId: undecided } = await scene.hold('too late', asker);
    scene.aheadMs += 11 * MINUTES;
    expect((await scene.hold('late', asker)).approvalId).not.toBe(id);
    expect((await scene.decide(undecided, 'ben')).code).toBe('WDR_APPROVAL_CLOSED');
    await expect.poll(() => acts(id)).toEqual(['ask', 'approve', 'expire']);
    await expect.poll(() => acts(undecided!)).toEqual(['ask', 'expire']);
  });

  it('that has given up before it is looked at uses nothing up', async () => {
    await approved('gone');
    const requestId = randomUUID();
    const unanswered = scene.hold('gone', { ...asker, requestId, answerByMs: scene.clock.wallMs() - 1 });
    unanswered.catch(() => undefined);
    expect(await scene.hold('gone', asker)).toMatchObject({ status: 'redeemed' });
    expect(scene.answers.some((answer) => answer.requestId === requestId)).toBe(false);
  });

  it('is not asked about where too many of its principal are: there is a bound', async () => {
    await scene.know('flood');
    const flood = { ...asker, principalId: 'flood' };
    for (let each = 0; each < 30; each += 1) await scene.hold(`flood ${each}`, flood);
    expect(await scene.hold('one too many', flood)).toMatchObject({ status: 'limit', approvalId: null });
    expect(await scene.hold('flood 3', flood)).toMatchObject({ status: 'pending' });
    expect(await scene.hold('of another', asker)).toMatchObject({ status: 'pending' });
    // What was asked under an older policy keeps nobody out: a yes to it would be void.
    expect(await scene.hold('one too many', { ...flood, policyVersion: 8 })).toMatchObject({ status: 'pending' });
    const outdated = (await scene.ask('GET', '?status=outdated', 'root')).body.approvals ?? [];
    expect(outdated.filter(({ principalId }) => principalId === 'flood')).toHaveLength(30);
  });
});

describe('who decides', () => {
  it('is somebody of the groups that the rule names, or an administrator where it names none; never a service', async () => {
    const named = await scene.hold('named', { ...asker, principalId: 'cy' });
    expect((await scene.decide(named.approvalId, 'root')).code).toBe('WDR_APPROVAL_FORBIDDEN');
    expect((await scene.decide(named.approvalId, 'bot')).code).toBe('WDR_APPROVAL_UNKNOWN');
    expect((await scene.decide(named.approvalId, 'ben')).status).toBe(200);
    const unnamed = await scene.hold('unnamed', { ...asker, terms: { ...terms, by: [] } });
    expect((await scene.decide(unnamed.approvalId, 'ben')).code).toBe('WDR_APPROVAL_UNKNOWN');
    expect((await scene.decide(unnamed.approvalId, 'root')).status).toBe(200);
  });

  it('is never who asks by a token, for an agent may hold it', async () => {
    const { approvalId } = await scene.hold('own', asker);
    expect((await scene.decide(approvalId, 'ana')).code).toBe('WDR_APPROVAL_FORBIDDEN');
  });

  it.each([
    ['who asks', { principalId: 'ben' }],
    ['who owns the service account that asks', { principalId: 'bot' }],
    ['in whose name somebody else acts', { principalId: 'cy', actors: [{ id: 'ben', kind: 'human' }] }],
    ['who owns what acts for another', { principalId: 'cy', actors: [{ id: 'bot', kind: 'service' }] }],
  ])('is with four eyes not %s', async (who, more) => {
    const { approvalId } = await scene.hold(who, { ...asker, ...more, terms: { ...terms, fourEyes: true } });
    expect((await scene.decide(approvalId, 'ben')).code).toBe('WDR_APPROVAL_FORBIDDEN');
    expect((await scene.decide(approvalId, 'ana')).status).toBe(200);
  });

  it.each([
    ['address', { email: 'Eve@Example.com' }, { email: 'eve@example.com' }],
    [
      'account at a provider',
      { subjects: [{ provider: 'corp', subject: '7' }] },
      { subjects: [{ provider: 'corp', subject: '7' }] },
    ],
  ])('is with four eyes not who asks under another name of the same %s', async (what, one, other) => {
    await scene.know('eve', { groups: ['release'], ...one });
    await scene.know('eve-2', { groups: ['release'], ...other });
    const { approvalId } = await scene.hold(what, {
      ...asker,
      principalId: 'eve',
      terms: { ...terms, fourEyes: true },
    });
    expect((await scene.decide(approvalId, 'eve-2')).code).toBe('WDR_APPROVAL_FORBIDDEN');
  });

  it('sees what they may decide and what they asked; a stranger is told that there is nothing', async () => {
    const { approvalId } = await scene.hold('seen', asker);
    for (const who of ['ana', 'ben', 'root'])
      expect((await scene.ask('GET', `/${approvalId}`, who)).body.tool).toBe('delete_repository');
    expect((await scene.ask('GET', `/${approvalId}`, 'cy')).code).toBe('WDR_APPROVAL_UNKNOWN');
    expect((await scene.decide(approvalId, 'cy')).code).toBe('WDR_APPROVAL_UNKNOWN');
    const listed = await scene.ask('GET', '?status=pending', 'cy');
    expect(listed.body.approvals?.some(({ id }) => id === approvalId)).toBe(false);
    expect((await scene.ask('POST', `/${approvalId}/decision`, 'ben', { decision: 'maybe' })).status).toBe(400);
  });

  it('is listed what they may see although hundreds of others came after it', async () => {
    await scene.know('gus');
    await scene.know('many');
    const { approvalId } = await scene.hold('of gus', { ...asker, principalId: 'gus' });
    scene.aheadMs += 1;
    // As many as a list reads at a time, put there as they would be.
    await scene.copy(approvalId!, 600, 'many');
    const { body } = await scene.ask('GET', '', 'gus');
    expect(body.approvals?.map(({ id }) => id)).toEqual([approvalId]);
  });
});
