import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import { ScriptedBrowser } from '@warder/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { IdentityScene } from '../identity.scene.js';

const CALLBACK = 'http://127.0.0.1:5999/callback';
const PASSWORD = 'correct horse battery';
let scene: IdentityScene;
let origin: string;

const register = () =>
  fetch(`${origin}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_name: 'Editor', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' }),
  });
/** A browser before the form of the local directory. */
const atForm = async () => {
  const { client_id: clientId } = (await (await register()).json()) as { client_id: string };
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
    resource: `${origin}/mcp/dev`,
  };
  const browser = ScriptedBrowser.until(CALLBACK);
  const consent = await browser.open(`${origin}/oauth/authorize?${new URLSearchParams(params)}`);
  const form = await browser.submit(consent, { with: 'local' });
  return {
    consent,
    form,
    send: (email: string, password: string) => browser.submit(form, { email, password }),
    browser,
  };
};

beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start({
    authorization: { registration: { perMinute: 1_000 } },
    signIn: { attemptsPerMinute: 1_000, guessesPerHour: 1, passwordsAtOnce: 1, passwordsWaitingMax: 1 },
  });
  origin = scene.running!.url;
  const document = PolicyDocument.parse({ upstreams: {}, virtualServers: { dev: { tools: [] } }, grants: [] });
  const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
  await scene.bus.ensureTopics([policySnapshotTopic]);
  await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
  const { body } = await scene.ask('POST', '/principals', { name: 'Ana', email: 'ana@example.com' });
  const { body: link } = await scene.ask('POST', `/principals/${body.id}/password-link`);
  const browser = ScriptedBrowser.until(CALLBACK);
  const page = await browser.open((link as unknown as { url: string }).url);
  const saved = await browser.submit(page, { password: PASSWORD });
  if (saved.status !== 200) throw new Error(saved.text);
});
afterAll(() => scene?.close());

it('has a password guessed at so often for one address and no more, in whatever case and from wherever', async () => {
  expect((await (await atForm()).send('ANA@example.com', 'wrong and wrong again')).status).toBe(401);
  const right = await (await atForm()).send('ana@example.com', PASSWORD);
  expect([right.status, right.text.includes('Too many attempts with this address')]).toEqual([429, true]);
  // Of who is not known no more is told.
  const statuses = [];
  for (let times = 0; times < 2; times += 1) {
    statuses.push((await (await atForm()).send('nobody@example.com', 'wrong and wrong again')).status);
  }
  expect(statuses).toEqual([401, 429]);
});

it('works on so many passwords at once, and tells the rest when to try again', async () => {
  const forms = [];
  for (let made = 0; made < 6; made += 1) forms.push(await atForm());
  const answers = await Promise.all(
    forms.map(({ form, send }, at) => send(`somebody-${at}@example.com`, 'wrong').then((answer) => ({ form, answer }))),
  );
  const statuses = answers.map(({ answer }) => answer.status);
  expect(new Set(statuses)).toEqual(new Set([401, 503]));
  const told = answers.find(({ answer }) => answer.status === 503)!.answer.text;
  expect(told).toContain('Too many people sign in at the moment. Try again in a few seconds.');
  await expect
    .poll(() => scene.records.map(({ refusal }) => refusal?.code), { timeout: 15_000 })
    .toContain('WDR_PASSWORDS_BUSY');
  // It is over with the flood.
  expect((await (await atForm()).send('somebody-else@example.com', 'wrong')).status).toBe(401);
});

it('has clients that nobody allowed anything make room for one more', async () => {
  const hourAgoS = Math.floor(Date.now() / 1_000) - 3_700;
  await scene.query(`INSERT INTO identity.oauth_item (model, id, payload)
    SELECT 'Client', 'flood-' || n, jsonb_build_object('client_id_issued_at', ${hourAgoS} - n) FROM generate_series(1, 20000) AS n`);
  await scene.query(
    `INSERT INTO identity.oauth_item (model, id, payload) VALUES ('Grant', 'g', '{"clientId":"flood-20000"}')`,
  );
  expect((await register()).status).toBe(201);
  const held = await scene.query(
    `SELECT count(*)::int AS clients, count(*) FILTER (WHERE id = 'flood-20000')::int AS used,
       count(*) FILTER (WHERE id = 'flood-19999')::int AS oldest FROM identity.oauth_item WHERE model = 'Client'`,
  );
  expect(held[0]).toMatchObject({ used: 1, oldest: 0 });
  expect(held[0]!['clients']).toBeLessThanOrEqual(20_000);
});

it('refuses clients while all that there are were registered a moment ago', async () => {
  const nowS = Math.floor(Date.now() / 1_000);
  await scene.query(`UPDATE identity.oauth_item SET payload = jsonb_build_object('client_id_issued_at', ${nowS})
    WHERE model = 'Client'`);
  await scene.query(`INSERT INTO identity.oauth_item (model, id, payload)
    SELECT 'Client', 'more-' || n, jsonb_build_object('client_id_issued_at', ${nowS}) FROM generate_series(1, 1000) AS n`);
  const answer = await register();
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '60']);
  await scene.query(`DELETE FROM identity.oauth_item WHERE model = 'Client'`);
});

it('takes so many requests of one address for pages, and no more', async () => {
  const nowMs = performance.now();
  scene.monotonicMs = () => nowMs;
  const asked = Array.from({ length: 320 }, () => fetch(`${origin}/sign-in/callback/none`));
  const statuses = new Set((await Promise.all(asked)).map(({ status }) => status));
  expect(statuses).toEqual(new Set([404, 429]));
  scene.monotonicMs = () => performance.now();
});

it('tells clients and people that the database is away, and nothing of what was asked of it', async () => {
  // So that what was asked before counts no more.
  scene.monotonicMs = () => performance.now() + 3_600_000;
  const { consent, browser, send } = await atForm();
  await scene.database.stop();
  expect((await register()).status).toBe(503);
  const form = { grant_type: 'refresh_token', refresh_token: 'x', client_id: 'y' };
  const token = await fetch(`${origin}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
  expect([token.status, await token.json()]).toMatchObject([503, { error: 'temporarily_unavailable' }]);
  for (const page of [await browser.open(consent.url), await send('ana@example.com', PASSWORD)]) {
    expect([page.status, page.text.includes('Warder cannot look that up at the moment')]).toEqual([503, true]);
  }
});
