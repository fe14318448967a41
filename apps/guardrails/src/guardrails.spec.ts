import { AdminAccess } from '@warder/admin-access';
import { type GuardrailRulesState, guardrailRulesStateTopic } from '@warder/contracts';
import { BUILT_IN_PACKS } from '@warder/detectors';
import { Client } from 'pg';
import { issueToken } from '@warder/tokens';
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { GuardrailsScene } from './guardrails.scene.js';

const rules: GuardrailRulesState[] = [];
const scene = new GuardrailsScene();
const { get, put, records, bearers } = scene;

beforeAll(() =>
  scene.start(
    async (bus) => void (await bus.watch(guardrailRulesStateTopic, 'beginning', ({ value }) => rules.push(value))),
  ),
);
afterAll(() => scene.stop());

const check = (body: object, bearer = bearers.auditor) => scene.post('check', body, bearer);
const tagOf = async (pack: string) => (await get(`packs/${pack}`)).headers['etag'] as string;
const newest = (pack: string) => rules.filter((state) => state.pack === pack).at(-1);

describe('rule packs', () => {
  it('publishes every built-in pack at its first start, all detectors on', async () => {
    await expect.poll(() => new Set(rules.map(({ pack }) => pack)).size).toBe(4);
    for (const [pack, detectors] of Object.entries(BUILT_IN_PACKS)) {
      expect(newest(pack)).toEqual({ version: 1, status: 'active', pack, detectors });
    }
    const { body } = await get('packs');
    expect(body.packs.map(({ pack }: { pack: string }) => pack)).toEqual(['hidden', 'injection', 'pii', 'secrets']);
  });

  it('turns a detector off: the next version on the bus, a record of who did it', async () => {
    const answer = await put('packs/pii', { detectors: ['pii.card', 'pii.card'] }, await tagOf('pii'));
    expect(answer.status).toBe(200);
    expect(answer.headers['etag']).toBe('"2"');
    expect(answer.body).toEqual({
      pack: 'pii',
      version: 2,
      detectors: ['pii.card'],
      available: BUILT_IN_PACKS.pii,
    });
    await expect.poll(() => newest('pii')).toMatchObject({ version: 2, detectors: ['pii.card'] });
    await expect
      .poll(() => records.at(-1))
      .toMatchObject({
        kind: 'admin',
        method: 'admin/guardrails/rule-pack.change',
        principal: { id: 'usr_admin' },
        personal: {
          arguments: {
            value: {
              pack: 'pii',
              version: 2,
              enabled: [],
              disabled: BUILT_IN_PACKS.pii.filter((id) => id !== 'pii.card'),
            },
          },
        },
      });
  });

  it('asks for If-Match, and refuses a change of what has changed since', async () => {
    const body = { detectors: [] };
    expect((await put('packs/hidden', body)).status).toBe(428);
    const stale = await put('packs/hidden', body, '"99"');
    expect([stale.status, stale.body.error.code]).toEqual([412, 'WDR_VERSION_MISMATCH']);
    expect((await put('packs/hidden', body, 'W/"1"')).status).toBe(412);
    expect((await get('packs/hidden')).body.version).toBe(1);
  });

  it('lets one of two concurrent changes win', async () => {
    const tag = await tagOf('injection');
    const change = () => put('packs/injection', { detectors: BUILT_IN_PACKS.injection.slice(0, 9) }, tag);
    const statuses = (await Promise.all([change(), change()])).map(({ status }) => status);
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412]);
  });

  it('names what is unknown: a detector, a pack, a key', async () => {
    const unknown = await put('packs/secrets', { detectors: ['secret.of-tomorrow'] }, '*');
    expect([unknown.status, unknown.body.error.code]).toEqual([400, 'WDR_DETECTOR_UNKNOWN']);
    expect(unknown.body.error.message).toContain('secret.of-tomorrow');
    expect((await put('packs/constructor', { detectors: [] }, '*')).body.error.code).toBe('WDR_RULE_PACK_UNKNOWN');
    expect((await get('packs/nothing')).status).toBe(404);
    const extra = await put('packs/secrets', { detectors: [], more: 1 }, '*');
    expect([extra.status, extra.body.error.code]).toEqual([400, 'WDR_BODY_INVALID']);
    expect(extra.body.error.message).toContain('more');
  });

  it('keeps changes over a restart and publishes them again', async () => {
    await scene.running.stop();
    rules.length = 0;
    await scene.startService();
    await expect.poll(() => newest('pii')).toMatchObject({ version: 2, detectors: ['pii.card'] });
    await expect.poll(async () => (await get('packs/pii')).body.version).toBe(2);
  });

  it('has the detectors that a new build brings on, and leaves off what was turned off', async () => {
    const all = BUILT_IN_PACKS.secrets;
    const [news = '', off = ''] = all.slice(-2);
    await put('packs/secrets', { detectors: all.filter((id) => id !== off) }, '*');
    await scene.running.stop();
    // As a build left it that did not have the second one.
    const client = new Client({ connectionString: scene.database.url });
    await client.connect();
    await client.query(
      `UPDATE guardrails.rule_pack SET detectors = array_remove(detectors, $1), known = array_remove(known, $1)
       WHERE pack = 'secrets'`,
      [news],
    );
    await client.end();
    await scene.startService();
    await expect.poll(() => newest('secrets')?.detectors.includes(news)).toBe(true);
    expect(newest('secrets')?.detectors).not.toContain(off);
    expect(newest('secrets')?.detectors).toHaveLength(all.length - 1);
  });
});

describe('who may', () => {
  it('lets an auditor look and check, an administrator change, and nobody else anything', async () => {
    expect((await put('packs/secrets', { detectors: [] }, '*', bearers.auditor)).status).toBe(403);
    expect((await get('packs', bearers.member)).status).toBe(403);
    expect((await check({ phase: 'request', value: 1 }, bearers.member)).status).toBe(403);
    expect((await get('packs', issueToken(randomBytes))).status).toBe(401);
    expect((await get('packs', bearers.admin)).status).toBe(200);
  });
});

describe('the dry run', () => {
  it('does what an ingress node would, and gives no value away', async () => {
    const key = `AKIA${'QYLPMN5HFIQR7B2X'}`;
    const answer = await check({ phase: 'response', value: { content: [{ type: 'text', text: `see ${key}` }] } });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      verdict: 'mutate',
      value: { content: [{ type: 'text', text: 'see [redacted:secret.aws-access-key]' }] },
      findings: [
        {
          detector: 'secret.aws-access-key',
          category: 'secret',
          action: 'redact',
          phase: 'response',
          place: '/content/0/text',
          count: 1,
        },
      ],
    });
    const blocked = await check({ phase: 'request', actions: { secret: 'block' }, value: key });
    expect(blocked.body).toMatchObject({ verdict: 'reject', value: '[redacted:secret.aws-access-key]' });
  });

  it('runs on the packs as they are now', async () => {
    const body = { phase: 'request', value: ['4111111111111111'] };
    expect((await check(body)).body.verdict).toBe('mutate');
    expect((await put('packs/pii', { detectors: [] }, '*')).status).toBe(200);
    expect((await check(body)).body.verdict).toBe('pass');
  });

  it('names a wrong phase and a missing value', async () => {
    expect((await check({ phase: 'later', value: 1 })).body.error.message).toContain('phase');
    expect((await check({ phase: 'request' })).body.error.message).toContain('value');
  });
});

describe('what is refused', () => {
  const flush = () => scene.running.app.get(AdminAccess).refused.flush();
  const refused = () => records.filter(({ method }) => method === 'admin/guardrails/request.refuse');

  it('is on record: whom, on which route, with which code, and nothing of the body', async () => {
    await flush();
    await put('packs/pii', { detectors: ['canary'] }, await tagOf('pii'));
    await put('packs/none', { detectors: [] }, '"1"');
    await put('packs/pii', { detectors: [] }, '"999"');
    await put('packs/pii', { detectors: ['x'.repeat(70_000)] }, '"1"');
    await flush();
    await vi.waitFor(() => expect(refused().at(-1)?.refusal?.code).toBe('WDR_BODY_TOO_LARGE'));
    const last = refused().slice(-4);
    expect(last.map(({ refusal }) => refusal?.code)).toEqual([
      'WDR_DETECTOR_UNKNOWN',
      'WDR_RULE_PACK_UNKNOWN',
      'WDR_VERSION_MISMATCH',
      'WDR_BODY_TOO_LARGE',
    ]);
    for (const record of last) {
      expect(record).toMatchObject({ kind: 'admin', principal: { id: 'usr_admin' }, agent: { id: 'pat_admin' } });
      expect(record).toMatchObject({ decision: 'permit', outcome: 'failure', count: 1 });
      const asked = { method: 'PUT', route: '/admin/guardrails/packs/:pack' };
      expect(record.personal?.arguments).toMatchObject({ value: asked });
    }
    expect(JSON.stringify(last)).not.toContain('xxx');
  });

  it('leaves a bounded number of records however much there is of it', async () => {
    await flush();
    const before = refused().length;
    for (let n = 0; n < 100; n += 1) await get(`packs/none${n}`);
    await flush();
    const counts = () =>
      refused()
        .slice(before)
        .map(({ count }) => count);
    await vi.waitFor(() => expect(counts().reduce((sum, count) => sum + count, 0)).toBe(100));
    // Twenty of one caller and one for the rest of its code, of each of the two windows that it may fall into.
    expect(counts().length).toBeLessThanOrEqual(42);
  });
});

describe('the matrix of actions', () => {
  const rule = { name: 'no-keys-out', detector: 'secret.*', direction: 'request', action: 'block' };

  it('is empty at first, and not on the bus', async () => {
    const { headers, body } = await get('actions');
    expect([headers['etag'], body]).toEqual(['"0"', { version: 0, rules: [] }]);
    expect(newest('actions')).toBeUndefined();
  });

  it('is replaced whole: the next version on the bus, a record of who did it', async () => {
    const answer = await put('actions', { rules: [rule] }, '"0"');
    expect([answer.status, answer.headers['etag'], answer.body.version]).toEqual([200, '"1"', 1]);
    await expect.poll(() => newest('actions')).toMatchObject({ version: 1, detectors: [], actions: [rule] });
    await expect
      .poll(() => records.find(({ method }) => method === 'admin/guardrails/actions.change'))
      .toMatchObject({
        principal: { id: 'usr_admin' },
        personal: { arguments: { value: { version: 1, before: [] } } },
      });
    expect((await get('packs')).body.packs).toHaveLength(4);
  });

  it('refuses rules that are not clear, a stale version, and who is no administrator', async () => {
    const unclear = await put('actions', { rules: [{ name: 'x', action: 'approve' }] }, '*');
    expect([unclear.status, unclear.body.error.code]).toEqual([400, 'WDR_BODY_INVALID']);
    expect((await put('actions', { rules: [] }, '"0"')).body.error.code).toBe('WDR_VERSION_MISMATCH');
    expect((await put('actions', { rules: [] })).status).toBe(428);
    expect((await put('actions', { rules: [] }, '*', bearers.auditor)).status).toBe(403);
  });

  it('is published again at the next start', async () => {
    await scene.running.stop();
    rules.length = 0;
    await scene.startService();
    await expect.poll(() => newest('actions')).toMatchObject({ version: 1, actions: [rule] });
  });
});
