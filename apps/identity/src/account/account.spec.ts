import { connect } from 'node:net';
import { once } from 'node:events';
import type { TokenState } from '@warder/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene } from '../identity.scene.js';
import { PASSWORD, Person, tellPolicy, tokenOf } from './account.scene.js';

let scene: IdentityScene;
let ana: Person;

const TOKEN = /value="(wdr_[\w-]{48})"/;
const textOf = (page: { text: string }): string => TOKEN.exec(page.text)?.[1] ?? '';
const whole = { name: 'laptop', days: '7', servers: '', tools: '', addresses: '' };
const records = (method: string) =>
  scene.records.filter((record) => record.method === `admin/identity/${method}`).map(({ personal }) => personal);
const refusals = () =>
  scene.records.flatMap(({ refusal, principal }) => (refusal === null ? [] : [[refusal.code, principal?.id ?? null]]));
/** A token as nodes are told of it. */
const tokenNamed = async (wanted: string): Promise<TokenState> => {
  const found = () => [...scene.tokens.values()].find(({ name }) => name === wanted);
  await expect.poll(found).toBeDefined();
  return found()!;
};

/** Sends a part of a form and hangs up. */
const hangUpIn = async (url: string, cookie: string): Promise<void> => {
  const { port, host, pathname } = new URL(url);
  const socket = connect(Number(port), '127.0.0.1');
  const type = 'Content-Type: application/x-www-form-urlencoded';
  socket.write(
    `POST ${pathname} HTTP/1.1\r\nHost: ${host}\r\n${type}\r\nCookie: ${cookie}\r\nContent-Length: 900\r\n\r\ntoken=`,
  );
  await once(socket, 'connect');
  // Its session is looked up by then.
  await ana.open();
  socket.destroy();
  await once(socket, 'close');
  await ana.open();
};

beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start({ signIn: { attemptsPerMinute: 10_000 }, account: { changesPerMinute: 1_000 } });
  await tellPolicy(scene);
  ana = await Person.make(scene, 'ana', { groups: ['knowers'] });
});
afterAll(() => scene?.close());

describe('the pages of one’s account', () => {
  it('ask who it is and nothing else, and show what the person has', async () => {
    const asked = await ana.open();
    expect(asked.text).toContain('<h1>Sign in to Warder</h1>');
    const page = await ana.come();
    expect(page.url).toBe(`${scene.running!.url}/account`);
    expect(page.text).toContain('You are signed in as <strong>ana</strong> (ana@example.com)');
    expect(page.text).toContain('Groups: knowers');
    expect(page.text).toContain('You have none.');
    expect(page.text).toContain('(this one)');
  });

  it('cannot be framed, scripted, stored or sent from elsewhere', async () => {
    const { headers } = await ana.come();
    expect(headers!.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+'; frame-ancestors 'none'/,
    );
    expect([headers!.get('x-frame-options'), headers!.get('cache-control')]).toEqual(['DENY', 'no-store']);
  });

  it('make a token, show it once, and list with what it begins', async () => {
    const form = await ana.come('/tokens/new');
    const issued = await ana.send(form, '/tokens/new', { ...whole, name: 'one & only' });
    const text = textOf(issued);
    expect(issued.status).toBe(200);
    await expect.poll(async () => (await scene.ask('GET', '/me', undefined, text)).status).toBe(200);
    const page = await ana.come();
    expect(page.text).toContain('one &#38; only');
    expect(page.text).toContain(text.slice(0, 8));
    expect(page.text).not.toContain(text);
    await expect.poll(() => records('token.issue').map((told) => told?.principal?.name)).toContain('ana');
  });

  it('cut a token to servers, tools, addresses and reading, and to the administrator’s days', async () => {
    const form = await ana.come('/tokens/new');
    const cut = { name: 'cut', days: '3', servers: 'dev', tools: 'notes/*\nfiles/read', addresses: '10.0.0.0/8' };
    const text = textOf(await ana.send(form, '/tokens/new', { ...cut, readOnly: 'yes' }));
    await expect
      .poll(() => [...scene.tokens.values()].find(({ name }) => name === 'cut')?.scopes)
      .toEqual({
        tools: ['notes/*', 'files/read'],
        virtualServers: ['dev'],
        readOnly: true,
        addresses: ['10.0.0.0/8'],
      });
    expect((await scene.ask('GET', '/me', undefined, text)).status).toBe(401);
    for (const [field, value] of [
      ['days', '366'],
      ['days', '0'],
      ['name', ''],
      ['tools', 'no pattern'],
      ['servers', 'Not A Name'],
      ['addresses', '10.0.0.0/99'],
    ] as const) {
      const again = await ana.send(form, '/tokens/new', { ...whole, [field]: value });
      expect([field, again.status, again.text.includes('role="alert"')]).toEqual([field, 400, true]);
      expect(textOf(again)).toBe('');
    }
  });

  it('rotate a token with grace, and revoke it with every secret it has', async () => {
    const old = textOf(await ana.send(await ana.come('/tokens/new'), '/tokens/new', { ...whole, name: 'turned' }));
    const { id } = await tokenNamed('turned');
    const next = textOf(
      await ana.send(await ana.come(`/tokens/${id}/rotate`), `/tokens/${id}/rotate`, { grace: '3600' }),
    );
    const accepted = async (): Promise<number[]> =>
      Promise.all([old, next].map(async (text) => (await scene.ask('GET', '/me', undefined, text)).status));
    await expect.poll(accepted).toEqual([200, 200]);
    expect((await ana.send(await ana.come(), `/tokens/${id}/revoke`)).status).toBe(200);
    await expect.poll(accepted).toEqual([401, 401]);
    expect((await ana.come(`/tokens/${id}/rotate`)).status).toBe(409);
  });

  it('find nothing of somebody else’s, and put the attempt on record', async () => {
    const bo = await Person.make(scene, 'bo');
    await ana.send(await ana.come('/tokens/new'), '/tokens/new', { ...whole, name: 'hers' });
    const { id } = await tokenNamed('hers');
    const page = await bo.come();
    const [{ id: session }] = (await scene.ask('GET', `/principals/${ana.id}/sessions`)).body['sessions'] as [
      { id: string },
    ];
    const tries = [`/tokens/${id}/revoke`, `/sessions/${session}/end`, `/clients/anything/end`];
    for (const place of tries) expect((await bo.send(page, place)).status).toBe(404);
    expect((await bo.come(`/tokens/${id}/rotate`)).status).toBe(404);
    expect((await tokenNamed('hers')).status).toBe('active');
    await expect.poll(refusals, { timeout: 15_000 }).toContainEqual(['WDR_TOKEN_NOT_FOUND', bo.id]);
    await expect.poll(refusals, { timeout: 15_000 }).toContainEqual(['WDR_SESSION_NOT_FOUND', bo.id]);
  });

  it('take a form from the browser that was shown it, and from no other', async () => {
    const eve = await Person.make(scene, 'eve');
    const [page, hers] = [await ana.come(), await eve.come()];
    const place = '/sessions/end-others';
    expect((await ana.send(hers, place)).status).toBe(403);
    expect((await ana.send({ ...page, text: '' }, place)).status).toBe(403);
    const elsewhere = await eve
      .elsewhere()
      .browser.open(`${scene.running!.url}/account${place}`, { token: tokenOf(page) });
    expect(elsewhere.status).toBe(401);
    await expect.poll(refusals, { timeout: 15_000 }).toContainEqual(['WDR_FORM_FOREIGN', ana.id]);
  });

  it('sign other browsers out at once, one or all, and this one', async () => {
    const [one, two] = [ana.elsewhere(), ana.elsewhere()];
    const list = async () =>
      (await scene.ask('GET', `/principals/${ana.id}/sessions`)).body['sessions'] as {
        id: string;
        provider: string;
        signedInFrom: string;
      }[];
    await ana.come();
    await one.come();
    const before = (await list()).map(({ id }) => id);
    await two.come();
    const all = await list();
    expect(all).toHaveLength(3);
    const [last, ...others] = all;
    expect(last).toMatchObject({ provider: 'local', signedInFrom: '127.0.0.1', principalId: ana.id });
    expect(others.map(({ id }) => id)).toEqual(before);
    await ana.send(await ana.come(), `/sessions/${last!.id}/end`);
    expect((await two.open()).text).toContain('Sign in to Warder');
    expect((await one.open()).text).toContain('Your account');
    await ana.send(await ana.come(), '/sessions/end-others');
    expect((await one.open()).text).toContain('Sign in to Warder');
    const left = await ana.send(await ana.come(), '/sign-out');
    expect(left.text).toContain('Signed out');
    expect((await ana.open()).text).toContain('Sign in to Warder');
    expect(await list()).toEqual([]);
    await expect.poll(() => records('session.end').length).toBeGreaterThanOrEqual(3);
  });

  it('change a password for whoever knows the old one, and end every other browser', async () => {
    const cleo = await Person.make(scene, 'cleo');
    const other = cleo.elsewhere();
    await other.come();
    const form = await cleo.come('/password');
    expect((await cleo.send(form, '/password', { old: 'not the old one', new: 'another long password' })).status).toBe(
      401,
    );
    expect((await cleo.send(form, '/password', { old: PASSWORD, new: 'short' })).status).toBe(400);
    expect((await other.open()).text).toContain('Your account');
    expect((await cleo.send(form, '/password', { old: PASSWORD, new: 'another long password' })).status).toBe(200);
    expect((await other.open()).text).toContain('Sign in to Warder');
    expect((await cleo.open()).text).toContain('Your account');
    expect((await other.come('', 'another long password')).text).toContain('Your account');
    await expect.poll(() => records('password.change').length).toBe(1);
  });

  it('end every browser of whoever chooses a password by an administrator’s link, on record', async () => {
    const flo = await Person.make(scene, 'flo');
    const [other, stranger] = [flo.elsewhere(), await Person.make(scene, 'gus')];
    await Promise.all([flo, other, stranger].map((person) => person.come()));
    const { body } = await scene.ask('GET', `/principals/${flo.id}/sessions`);
    const ids = (body['sessions'] as { id: string }[]).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    const link = (await scene.ask('POST', `/principals/${flo.id}/password-link`)).body as unknown as { url: string };
    const form = await flo.browser.open(link.url);
    expect((await flo.browser.submit(form, { password: 'short' })).status).toBe(400);
    expect((await other.open()).text).toContain('Your account');
    expect((await flo.browser.submit(form, { password: 'another long password' })).status).toBe(200);
    for (const browser of [flo, other]) expect((await browser.open()).text).toContain('Sign in to Warder');
    expect((await stranger.open()).text).toContain('Your account');
    expect((await flo.come('', 'another long password')).text).toContain('Your account');
    await expect
      .poll(() => records('session.end').map((told) => told?.arguments))
      .toContainEqual(expect.objectContaining({ value: { principalId: flo.id, sessions: ids } }));
  });

  it('bound how often somebody may try at the old password', async () => {
    const gil = await Person.make(scene, 'gil');
    const form = await gil.come('/password');
    const tries: number[] = [];
    for (let at = 0; at < 6; at++) {
      tries.push((await gil.send(form, '/password', { old: PASSWORD, new: 'short' })).status);
    }
    expect(tries).toEqual([400, 400, 400, 400, 400, 429]);
    const again = await gil.send(form, '/password', { old: PASSWORD, new: 'short' });
    expect(Number(again.headers?.get('retry-after'))).toBeGreaterThan(0);
    expect(Number(again.headers?.get('retry-after'))).toBeLessThanOrEqual(12);
    expect(again.text).toContain('Too much at once. Wait a minute and try again.');
    await expect.poll(refusals, { timeout: 15_000 }).toContainEqual(['WDR_ACCOUNT_RATE_LIMITED', gil.id]);
  });

  it('end browsers of as many people at once as there are', async () => {
    const hal = await Person.make(scene, 'hal');
    const page = await hal.come();
    const ended = await Promise.all(Array.from({ length: 24 }, () => hal.send(page, '/sessions/end-others')));
    expect(ended.map(({ status }) => status)).toEqual(Array.from({ length: 24 }, () => 200));
  });

  it('refuse a form of another kind, one that is too long and a method of no browser, each with its own code', async () => {
    const page = await ana.come();
    const at = `${scene.running!.url}/account/tokens/new`;
    const long = await ana.send(page, '/tokens/new', { ...whole, name: 'x'.repeat(20_000) });
    expect(long.status).toBe(413);
    await hangUpIn(`${scene.running!.url}/account`, ana.browser.cookiesFor(at));
    expect((await fetch(at, { method: 'PUT' })).status).toBe(405);
    for (const code of ['WDR_BODY_TOO_LARGE', 'WDR_METHOD_NOT_ALLOWED'])
      await expect.poll(() => refusals().map(([told]) => told), { timeout: 15_000 }).toContain(code);
  });

  it('ask for a new sign-in before what matters, and then go on', async () => {
    const dan = await Person.make(scene, 'dan');
    await dan.come();
    await scene.query(
      `UPDATE identity.oauth_item SET payload = jsonb_set(payload, '{loginTs}', to_jsonb((payload->>'loginTs')::int - 1000))
       WHERE model = 'Session' AND account_id = '${dan.id}'`,
    );
    expect((await dan.open()).text).toContain('Your account');
    const asked = await dan.open('/tokens/new');
    expect(asked.text).toContain('<h1>Sign in again</h1>');
    const form = await dan.come('/tokens/new');
    expect([form.url, form.text.includes('<h1>Make a token</h1>')]).toEqual([
      `${scene.running!.url}/account/tokens/new`,
      true,
    ]);
    const sent = await dan.send(form, '/tokens/new', whole);
    expect(textOf(sent)).not.toBe('');
  });

  it('lead nowhere else after a sign-in, whatever they are asked with', async () => {
    await ana.come();
    for (const state of ['//evil.example', 'https://evil.example', '..%2F..%2Foauth', 'tokens%2Fnew%0d%0ax']) {
      const page = await ana.open(`/signed-in?state=${state}`);
      expect(page.url).toBe(`${scene.running!.url}/account`);
    }
  });

  it('tell an address that comes too often when to come again, as a page and on record', async () => {
    const url = `${scene.running!.url}/account/signed-in?error=x`;
    const refused: Response[] = [];
    for (let round = 0; round < 20 && refused.length === 0; round += 1) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(url)));
      refused.push(...answers.filter(({ status }) => status === 429));
    }
    const [first] = refused;
    expect(first?.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(Number(first?.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await first?.text()).toContain('Too much at once.');
    const pages = await Promise.all(Array.from({ length: 50 }, () => fetch(`${scene.running!.url}/sign-in/x`)));
    const page = pages.find(({ status }) => status === 429);
    expect(page?.headers.get('content-type')).toBe('text/html; charset=utf-8');
    await expect.poll(refusals, { timeout: 15_000 }).toContainEqual(['WDR_ACCOUNT_RATE_LIMITED', null]);
  });

  it('let in nobody whose access has ended, from the next request on', async () => {
    const fay = await Person.make(scene, 'fay');
    const page = await fay.come();
    await scene.ask('POST', `/principals/${fay.id}/offboard`);
    expect((await fay.send(page, '/sessions/end-others')).status).toBe(401);
    expect((await fay.open()).text).toContain('Sign in to Warder');
  });
});
