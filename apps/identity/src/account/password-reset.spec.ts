import { createHash, randomBytes } from 'node:crypto';
import { type BrowserPage, ScriptedBrowser } from '@warder/testing';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene } from '../identity.scene.js';
import { PASSWORD, Person, tellPolicy } from './account.scene.js';

const CALLBACK = 'https://editor.example/callback';
const OTHER = 'another long password';
/** Held by a test, it keeps identity from writing one kind of thing. */
const GATE = 4_711;
let scene: IdentityScene;
let source: DataSource;
let origin: string;
let clientId: string;
const verifier = randomBytes(32).toString('base64url');

const authorizeUrl = (): string => {
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    scope: 'mcp',
    resource: `${origin}/mcp/dev`,
  };
  return `${origin}/oauth/authorize?${new URLSearchParams(params).toString()}`;
};
const ask = async (form: Record<string, string>) => {
  const body = new URLSearchParams({ client_id: clientId, ...form });
  const response = await fetch(`${origin}/oauth/token`, { method: 'POST', body });
  return { status: response.status, body: (await response.json()) as { error?: string; refresh_token: string } };
};
const redeem = (page: BrowserPage) =>
  ask({
    grant_type: 'authorization_code',
    code: new URL(page.url).searchParams.get('code') ?? '',
    redirect_uri: CALLBACK,
    code_verifier: verifier,
  });
const refresh = (refreshToken: string) => ask({ grant_type: 'refresh_token', refresh_token: refreshToken });
/** A browser that stops where a sign-in is to be gone on with, until it is told to go on. */
class Stopping extends ScriptedBrowser {
  private isStopping = true;

  constructor() {
    super((url) => url.startsWith(CALLBACK) || (this.isStopping && url.startsWith(`${origin}/oauth/authorize/`)));
  }

  goOn({ url }: BrowserPage): Promise<BrowserPage> {
    this.isStopping = false;
    return this.open(url);
  }
}
/** Proves a password to the browser, for the client or for the account. @returns where it is to go on */
const prove = async (browser: ScriptedBrowser, email: string, at: string, password = PASSWORD): Promise<BrowserPage> =>
  browser.submit(await browser.submit(await browser.open(at), { with: 'local' }), { email, password });
const reset = async (person: Person, password = OTHER): Promise<number> => {
  const { body } = await scene.ask('POST', `/principals/${person.id}/password-link`);
  const browser = new ScriptedBrowser();
  return (await browser.submit(await browser.open((body as unknown as { url: string }).url), { password })).status;
};
const sessionsOf = async ({ id }: Person): Promise<unknown[]> =>
  (await scene.ask('GET', `/principals/${id}/sessions`)).body['sessions'] as unknown[];
/** How many of identity's statements wait for a lock. */
const waiting = async (): Promise<number> =>
  Number((await scene.query('SELECT count(*) FROM pg_locks WHERE NOT granted'))[0]!['count']);
/** Runs `work`, and `meanwhile` once it is at a write that the test holds up: of rows of a kind, in one table. */
const heldUp = async <T>(
  at: { readonly write: 'INSERT' | 'DELETE'; readonly table: string; readonly model?: string },
  work: () => Promise<T>,
  meanwhile: () => Promise<void>,
): Promise<T> => {
  const table = `identity.${at.table}`;
  const row = at.write === 'INSERT' ? 'NEW' : 'OLD';
  const which = at.model === undefined ? 'true' : `${row}.model = '${at.model}'`;
  await source.query(`CREATE FUNCTION identity.held_up() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(${GATE}); RETURN ${row}; END'`);
  await source.query(`CREATE TRIGGER held_up BEFORE ${at.write} ON ${table}
    FOR EACH ROW WHEN (${which}) EXECUTE FUNCTION identity.held_up()`);
  const gate = source.createQueryRunner();
  await gate.query(`SELECT pg_advisory_lock(${GATE})`);
  try {
    const result = work();
    await expect.poll(waiting, { timeout: 15_000 }).toBe(1);
    await meanwhile();
    await gate.query(`SELECT pg_advisory_unlock(${GATE})`);
    return await result;
  } finally {
    await gate.query('SELECT pg_advisory_unlock_all()');
    await gate.release();
    await source.query(`DROP FUNCTION identity.held_up CASCADE`);
  }
};

beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start({ signIn: { attemptsPerMinute: 10_000, guessesPerHour: 1_000 } });
  origin = scene.running!.url;
  await tellPolicy(scene);
  source = await new DataSource({ type: 'postgres', url: scene.database.url }).initialize();
  clientId = await scene.registerClient(CALLBACK);
});
afterAll(async () => {
  await source?.destroy();
  await scene?.close();
});

describe('a password that was reset', () => {
  it('gives nobody a session who proved the old one before, and goes on after', async () => {
    const ana = await Person.make(scene, 'ana');
    for (const at of [`${origin}/account`, authorizeUrl()]) {
      const browser = new Stopping();
      const proved = await prove(browser, ana.email, at, at.includes('client_id') ? OTHER : PASSWORD);
      expect(proved.url).toContain('/oauth/authorize/');
      expect(await reset(ana)).toBe(200);
      const page = await browser.goOn(proved);
      expect([page.status, page.text.includes('Your account')]).toEqual([400, false]);
      expect((await browser.open(`${origin}/account`)).text).toContain('Sign in to Warder');
      expect(await sessionsOf(ana)).toEqual([]);
    }
  });

  it('gives nobody a session whose sign-in was being gone on with when it was reset', async () => {
    const bo = await Person.make(scene, 'bo');
    const writes = [
      [{ write: 'INSERT', table: 'oauth_item', model: 'AuthorizationCode' }, PASSWORD],
      [{ write: 'INSERT', table: 'oauth_item', model: 'Session' }, OTHER],
    ] as const;
    for (const [write, old] of writes) {
      const browser = new Stopping();
      const proved = await prove(browser, bo.email, authorizeUrl(), old);
      let done: Promise<number> | undefined;
      const page = await heldUp(
        write,
        () => browser.goOn(proved),
        async () => {
          done = reset(bo, OTHER);
          // It is through, or waits for what is being written.
          const isThere = async () => (await waiting()) > 1 || (await Promise.race([done, Promise.resolve(0)])) === 200;
          await expect.poll(isThere, { timeout: 15_000 }).toBe(true);
        },
      );
      expect(await done).toBe(200);
      expect(await sessionsOf(bo)).toEqual([]);
      expect((await browser.open(`${origin}/account`)).text).toContain('Sign in to Warder');
      expect((await redeem(page)).status).toBe(400);
      expect(page.headers?.get('location') ?? null).toBeNull();
    }
  });

  it('is looked at again once the proof, which takes its time, is made', async () => {
    const cleo = await Person.make(scene, 'cleo');
    const browser = new Stopping();
    // The password was proved by then, and nothing came of it yet.
    const proved = await heldUp(
      { write: 'DELETE', table: 'sign_in_attempt' },
      () => prove(browser, cleo.email, authorizeUrl()),
      async () => expect(await reset(cleo)).toBe(200),
    );
    expect([proved.status, proved.text.includes('You were signed out meanwhile.')]).toEqual([400, true]);
    expect((await scene.ask('GET', `/principals/${cleo.id}/clients`)).body['clients']).toEqual([]);
    const refused = () => scene.records.map(({ personal }) => personal?.refusalDetail);
    const detail = 'local: what the person signed in by has ended meanwhile';
    await expect.poll(refused, { timeout: 15_000 }).toContain(detail);
  });

  it('is no other end: a sign-out and the end of all other browsers take away what was proved before them too', async () => {
    const eve = await Person.make(scene, 'eve');
    const ends = [
      async () => void (await scene.ask('POST', `/principals/${eve.id}/sign-out`)),
      async () => void (await eve.send(await eve.come(), '/sessions/end-others')),
      async () => void (await eve.send(await eve.come('/password'), '/password', { old: PASSWORD, new: OTHER })),
    ];
    for (const end of ends) {
      const browser = new Stopping();
      const proved = await prove(browser, eve.email, `${origin}/account`);
      await end();
      expect((await browser.goOn(proved)).status).toBe(400);
      expect((await browser.open(`${origin}/account`)).text).toContain('Sign in to Warder');
    }
  });

  it('that the person changed ends programs where they want that, and none where they do not', async () => {
    const fay = await Person.make(scene, 'fay');
    const allow = async (password: string) =>
      (await redeem(await prove(ScriptedBrowser.until(CALLBACK), fay.email, authorizeUrl(), password))).body;
    const change = async (old: string, wanted: string, more: Record<string, string>) =>
      fay.send(await fay.come('/password', old), '/password', { old, new: wanted, ...more });
    const first = await allow(PASSWORD);
    expect((await change(PASSWORD, OTHER, {})).status).toBe(200);
    const next = await refresh(first.refresh_token);
    expect(next.status).toBe(200);
    expect((await change(OTHER, PASSWORD, { programs: 'end' })).status).toBe(200);
    expect((await refresh(next.body.refresh_token)).body.error).toBe('invalid_grant');
    const told = () => scene.records.filter(({ method }) => method === 'admin/identity/client.end');
    await expect.poll(() => JSON.stringify(told().map(({ personal }) => personal?.arguments))).toContain(fay.id);
  });

  it('ends codes, programs and their tokens that were had by the old one, and says so on record', async () => {
    const dan = await Person.make(scene, 'dan');
    const browser = ScriptedBrowser.until(CALLBACK);
    const tokens = (await redeem(await prove(browser, dan.email, authorizeUrl()))).body;
    const renewed = await refresh(tokens.refresh_token);
    expect(renewed.status).toBe(200);
    const code = await prove(ScriptedBrowser.until(CALLBACK), dan.email, authorizeUrl());
    expect(await reset(dan)).toBe(200);
    for (const answer of [await refresh(renewed.body.refresh_token), await redeem(code)])
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_grant']);
    expect((await scene.ask('GET', `/principals/${dan.id}/clients`)).body['clients']).toEqual([]);
    await expect
      .poll(() => [...scene.grants.values()].filter(({ principalId }) => principalId === dan.id))
      .toHaveLength(2);
    await expect.poll(() => scene.principals.get(dan.id)?.signedOutAtMs).toBeTypeOf('number');
    const record = () =>
      scene.records.find(
        ({ method, personal }) =>
          method === 'admin/identity/principal.sign-out' && JSON.stringify(personal?.arguments).includes(dan.id),
      );
    await expect.poll(record).toBeDefined();
    expect(record()!.personal?.arguments).toMatchObject({
      value: { id: dan.id, why: 'password set by a link', clients: [expect.any(String), expect.any(String)] },
    });
  });
});
