import { CustomRules, type GuardrailRulesState, guardrailRulesStateTopic } from '@warder/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GuardrailsScene } from '../guardrails.scene.js';
import { RuleTrials } from './rule-trials.js';

const scene = new GuardrailsScene();
const { get, put, post, bearers, records } = scene;
const rules: GuardrailRulesState[] = [];
const newest = () => rules.findLast(({ pack }) => pack === 'custom');

const ticket = {
  id: 'custom.ticket',
  category: 'pii',
  what: 'numbers of tickets',
  pattern: String.raw`\bK-\d{6}\b`,
  isCaseSensitive: false,
  fires: ['see K-123456'],
  passes: ['K-12345'],
};
const codenames = {
  id: 'custom.codenames',
  category: 'secret',
  what: '',
  terms: ['Nightingale'],
  isWithinWords: false,
};
const allowed = { name: 'help', detectors: ['pii.email'], values: ['help@example.com'] };
const written = { patterns: [ticket], dictionaries: [codenames], allow: [allowed] };

beforeAll(async () => {
  await scene.start(
    async (bus) => void (await bus.watch(guardrailRulesStateTopic, 'beginning', ({ value }) => rules.push(value))),
  );
}, 120_000);
afterAll(() => scene.stop());

it('is empty at first, and not on the bus', async () => {
  const { headers, body } = await get('custom');
  expect([headers['etag'], body]).toEqual([
    '"0"',
    { version: 0, patterns: [], dictionaries: [], allow: [], exact: [] },
  ]);
  expect(newest()).toBeUndefined();
});

it('is replaced whole: the next version on the bus, a record that holds no words of dictionaries', async () => {
  const answer = await put('custom', written, '"0"');
  expect([answer.status, answer.headers['etag'], answer.body]).toEqual([
    200,
    '"1"',
    { version: 1, ...written, exact: [] },
  ]);
  await expect.poll(() => newest()).toMatchObject({ version: 1, detectors: [], custom: written });
  const record = () => records.find(({ method }) => method === 'admin/guardrails/custom-rules.change');
  await expect.poll(record).toMatchObject({ principal: { id: 'usr_admin' } });
  expect(record()!.personal?.arguments).toMatchObject({
    value: { version: 1, after: { dictionaries: [{ id: 'custom.codenames', terms: 1 }] } },
  });
  expect(JSON.stringify(record())).not.toContain('Nightingale');
});

it('counts in a check of a value', async () => {
  const value = ['K-123456', 'Nightingale', 'help@example.com', 'ana@example.com'];
  const { body } = await post('check', { phase: 'response', value });
  expect(body.value).toEqual([
    '[redacted:custom.ticket]',
    '[redacted:custom.codenames]',
    'help@example.com',
    '[redacted:pii.email]',
  ]);
});

it('refuses what is unsafe, slow or wrong, names the rule, and leaves what is in force', async () => {
  const refused = async (pattern: string) => {
    const { status, body } = await put('custom', { patterns: [{ ...ticket, pattern }] }, '*');
    return [status, body.error.code, body.error.message];
  };
  expect(await refused('(a+)+bcd')).toEqual([
    400,
    'WDR_RULES_REFUSED',
    expect.stringContaining('custom.ticket "+" has no end'),
  ]);
  expect(await refused('(?:[a-z]{1,3}){1,7}-id')).toEqual([
    400,
    'WDR_RULES_REFUSED',
    expect.stringMatching(/custom\.ticket takes \d+ ms for 64 KB/),
  ]);
  expect(await refused(String.raw`\bX-\d{6}\b`)).toEqual([
    400,
    'WDR_RULES_REFUSED',
    expect.stringContaining('custom.ticket does not find fires[0]'),
  ]);
  expect((await get('custom')).body).toMatchObject({ version: 1, patterns: [ticket] });
});

it('ends a pattern that does not end', async () => {
  const endless = { ...ticket, pattern: '(?:a|a|a){1,200}bcd' };
  const trials = new RuleTrials(1_500);
  const asked = CustomRules.parse({ patterns: [endless] });
  await expect(trials.ensureAcceptable(asked, CustomRules.parse({}))).rejects.toThrow(
    'custom.ticket comes to no end on texts made for it',
  );
});

it('refuses more than the topic takes', async () => {
  const terms = Array.from({ length: 10_000 }, (_, at) => `${at} ${'ä'.repeat(58)}`);
  const large = CustomRules.parse({ dictionaries: [{ ...codenames, terms }] });
  await expect(new RuleTrials().ensureAcceptable(large, CustomRules.parse({}))).rejects.toMatchObject({
    code: 'WDR_RULES_REFUSED',
    message: expect.stringMatching(/take \d+ bytes together; 900000 is the most/),
  });
});

it('refuses what is written wrongly, a stale version, and who is no administrator', async () => {
  const twice = await put('custom', { patterns: [ticket, ticket] }, '*');
  expect([twice.status, twice.body.error.code]).toEqual([400, 'WDR_BODY_INVALID']);
  expect((await put('custom', written, '"0"')).body.error.code).toBe('WDR_VERSION_MISMATCH');
  expect((await put('custom', written)).status).toBe(428);
  expect((await put('custom', written, '*', bearers.auditor)).status).toBe(403);
});

it('keeps of exact values their hashes alone, and those of a list that is kept', async () => {
  const staff = { id: 'custom.staff', category: 'pii', what: '', onError: 'open' };
  const values = ['482913', '482 914', 'AB-482915'];
  const first = await put('custom', { ...written, exact: [{ ...staff, values }] }, '*');
  expect(first.body.exact).toEqual([{ ...staff, keyId: 'p1', values: 3 }]);
  const { version } = first.body;
  await expect.poll(() => newest()?.version).toBe(version);
  const [list] = newest()!.custom!.exact;
  expect(list).toMatchObject({ shape: { lengths: [6, 8], isDigits: false }, hashes: { length: 3 } });
  const kept = [JSON.stringify(newest()), JSON.stringify(records), JSON.stringify((await get('custom')).body)].join();
  for (const value of ['482913', '482914', 'ab482915']) expect(kept.toLowerCase()).not.toContain(value);
  const asked = { phase: 'response', value: ['staff 482913', 'ab 482 915', '582913'] };
  const found = ['staff [redacted:custom.staff]', '[redacted:custom.staff]', '582913'];
  expect((await post('check', asked)).body.value).toEqual(found);
  await put('custom', { ...written, exact: [{ ...staff, isKept: true }] }, `"${version}"`);
  expect((await post('check', asked)).body.value).toEqual(found);
});

it('refuses a value that chance would meet, without quoting it, and to keep a list that is not there', async () => {
  const staff = { id: 'custom.other', category: 'pii' };
  const short = await put('custom', { exact: [{ ...staff, values: ['482913', '48-2'] }] }, '*');
  expect([short.status, short.body.error]).toMatchObject([
    400,
    { code: 'WDR_RULES_REFUSED', message: 'custom.other values[1] has not 5 to 64 letters and digits' },
  ]);
  const missing = await put('custom', { exact: [{ ...staff, isKept: true }] }, '*');
  expect(missing.body.error.message).toBe('custom.other is to be kept, and is not there');
  expect((await put('custom', { exact: [staff] }, '*')).body.error.code).toBe('WDR_BODY_INVALID');
});

it('is published again at the next start', async () => {
  await scene.running.stop();
  rules.length = 0;
  await scene.startService();
  await expect.poll(() => newest()).toMatchObject({ version: 3, custom: written });
});
