import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import { type BrowserPage, ScriptedBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene } from '../../identity.scene.js';
import { Company, COMPANY_SECRET } from '../company.scene.js';
import {
  base64,
  ENTITY_ID,
  logoutRequestOf,
  makeKey,
  responseOf,
  SamlCompany,
  signed,
  signedBoth,
  signedQuery,
  type TestKey,
  type Told,
} from './saml-company.scene.js';

const CALLBACK = 'https://editor.example/callback';
const RSA_SHA1 = 'http://www.w3.org/2000/09/xmldsig#rsa-sha1';
let scene: IdentityScene;
let company: SamlCompany;
let sister: Company;
let stranger: TestKey;
let clientId: string;

const origin = () => scene.running!.url;
const addressOf = (): string => {
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
    code_challenge_method: 'S256',
    scope: 'mcp',
    resource: `${origin()}/mcp/dev`,
  };
  return `${origin()}/oauth/authorize?${new URLSearchParams(params).toString()}`;
};
const newBrowser = () => ScriptedBrowser.until('https://editor.example');
/** Allows the client and goes to the company; what is given back is its page, which posts the answer. */
const leave = async (person: Partial<Told>, browser = newBrowser(), id = 'corp'): Promise<BrowserPage> => {
  company.person = person;
  const page = await browser.submit(await browser.open(addressOf()), { with: id });
  expect(page.url.startsWith(company.ssoUrl)).toBe(true);
  return page;
};
const signIn = async (person: Partial<Told>, browser = newBrowser(), id = 'corp'): Promise<BrowserPage> =>
  browser.submit(await leave(person, browser, id), {});
const codeOf = ({ url }: BrowserPage) => new URL(url).searchParams.get('code');
const principalOf = (email: string) => [...scene.principals.values()].find((each) => each.email === email);
const failures = () =>
  scene.records.flatMap(({ refusal, personal }) =>
    refusal === null ? [] : `${refusal.code} ${personal?.refusalDetail}`,
  );
const hidden = (page: BrowserPage, name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)![1]!;
const ana = (groups: string[] = []): Partial<Told> => ({
  subject: 'G-ana',
  attributes: { mail: ['ana@corp.example'], shown: ['Ana Ortiz'], groups },
});

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-saml-'));
  company = new SamlCompany(makeKey(directory, 'current'));
  stranger = makeKey(directory, 'stranger');
  sister = new Company({ sue: { name: 'Sue', email: 'sue@sister.example', email_verified: true } });
  rmSync(directory, { recursive: true });
  await Promise.all([company.listen(), sister.listen()]);
  scene = await IdentityScene.create();
  await start();
  sister.serve(origin());
  clientId = await scene.registerClient(CALLBACK);
});

afterAll(async () => {
  await scene?.close();
  await Promise.all([company?.close(), sister?.close()]);
});

describe('signing in at a SAML provider on another site', () => {
  it('makes a principal of who is vouched for, with the groups that the rules give, and knows it again', async () => {
    expect(codeOf(await signIn(ana(['/Developers', 'Night Shift'])))).not.toBeNull();
    await expect
      .poll(() => principalOf('ana@corp.example'))
      .toMatchObject({ name: 'Ana Ortiz', groups: ['developers', 'night-shift'], roles: ['member'] });
    const { id } = principalOf('ana@corp.example')!;
    expect(codeOf(await signIn(ana(['admins'])))).not.toBeNull();
    await expect
      .poll(() => principalOf('ana@corp.example'))
      .toMatchObject({ id, groups: ['admins'], roles: ['admin'] });
  });

  it('takes the answer without the browser’s cookie, and decides when the browser comes with it', async () => {
    const browser = newBrowser();
    const page = await leave(ana(), browser);
    const form = { SAMLResponse: hidden(page, 'SAMLResponse'), RelayState: hidden(page, 'RelayState') };
    const posted = await fetch(`${origin()}/sign-in/callback/corp`, {
      method: 'POST',
      body: new URLSearchParams(form),
      redirect: 'manual',
    });
    expect([posted.status, posted.headers.get('location')]).toEqual([
      303,
      `/sign-in/callback/corp?state=${form.RelayState}`,
    ]);
    // What waits is sealed: neither the answer nor the state can be read in the database.
    const [row] = await scene.query('SELECT * FROM identity.sign_in_attempt WHERE answer IS NOT NULL');
    expect(String(row!['answer'])).toMatch(/^p1\./);
    expect(JSON.stringify(row)).not.toContain(form.RelayState);
    const next = new URL(posted.headers.get('location')!, origin()).href;
    const elsewhere = newBrowser();
    expect((await elsewhere.open(next)).status).toBe(400);
    expect(codeOf(await browser.open(next))).not.toBeNull();
    expect((await browser.open(next)).status).toBe(400);
  });

  it('does not let an attacker’s own sign-in be planted in another browser, whichever half of it is planted', async () => {
    const [victim, attacker] = [newBrowser(), newBrowser()];
    const theirs = await leave({ subject: 'G-attacker' }, attacker);
    const own = await leave(ana(), victim);
    const answer = { SAMLResponse: hidden(theirs, 'SAMLResponse') };
    // Both: the state is not of this browser. The answer alone: it is to another request.
    const whole = { ...answer, RelayState: hidden(theirs, 'RelayState') };
    expect((await victim.submit(own, whole)).status).toBe(400);
    expect((await victim.submit(own, answer)).status).toBe(502);
    await expect
      .poll(failures, { timeout: 15_000 })
      .toContain('WDR_SIGN_IN_FAILED corp: no such attempt in this browser');
    await expect.poll(failures, { timeout: 15_000 }).toContain('WDR_SIGN_IN_FAILED corp: saml.in-response-to');
    expect(await scene.query(`SELECT 1 FROM identity.identity_link WHERE subject = 'G-attacker'`)).toEqual([]);
  });

  it('takes an assertion once, though another attempt brings it again', async () => {
    expect(codeOf(await signIn({ ...ana(), assertionId: '_once' }))).not.toBeNull();
    expect((await signIn({ ...ana(), assertionId: '_once' })).status).toBe(502);
    await expect.poll(failures, { timeout: 15_000 }).toContain('WDR_SIGN_IN_FAILED corp: saml.replayed');
  });

  it('recognises a principal by an address of the provider’s domains, and by no other', async () => {
    const { body: bo } = await scene.ask('POST', '/principals', { name: 'Bo', email: 'bo@corp.example' });
    const { body: di } = await scene.ask('POST', '/principals', { name: 'Di', email: 'di@sister.example' });
    const as = (subject: string, mail: string) => signIn({ subject, attributes: { mail: [mail] } });
    expect(codeOf(await as('G-bo', 'bo@corp.example'))).not.toBeNull();
    expect(codeOf(await as('G-di', 'di@sister.example'))).not.toBeNull();
    const links = await scene.query('SELECT subject, principal_id FROM identity.identity_link');
    expect(links).toContainEqual({ subject: 'G-bo', principal_id: bo.id });
    expect(links.find(({ subject }) => subject === 'G-di')!['principal_id']).not.toBe(di.id);
  });

  it('says nothing on its page of why an answer is not taken, and all of it on record', async () => {
    const browser = newBrowser();
    const page = await leave(ana(), browser);
    const request = { requestId: '_x', address: `${origin()}/sign-in/callback/corp`, audience: 'urn:x' };
    const forged = base64(signedBoth(responseOf(request, {}), stranger));
    const answered = await browser.submit(page, { SAMLResponse: forged });
    expect([answered.status, answered.text.includes('Corp did not confirm who you are')]).toEqual([502, true]);
    expect(answered.text).not.toMatch(/saml|signature|response/i);
  });

  it('refuses an answer that nobody asked for, one that is too long, and one to a provider that posts none', async () => {
    const post = async (id: string, form: Record<string, string>) =>
      (
        await fetch(`${origin()}/sign-in/callback/${id}`, {
          method: 'POST',
          body: new URLSearchParams(form),
          redirect: 'manual',
        })
      ).status;
    const request = { requestId: '_x', address: `${origin()}/sign-in/callback/corp`, audience: 'urn:x' };
    const SAMLResponse = base64(signedBoth(responseOf(request, {}), company.key));
    expect(await post('corp', { SAMLResponse })).toBe(400);
    expect(await post('corp', { SAMLResponse, RelayState: 'https://evil.example' })).toBe(400);
    expect(await post('corp', { SAMLResponse: 'A'.repeat(300_000) })).toBe(413);
    expect(await post('sister', { SAMLResponse })).toBe(404);
    expect(await post('nobody', { SAMLResponse })).toBe(404);
    await expect
      .poll(failures, { timeout: 15_000 })
      .toContain('WDR_SIGN_IN_FAILED corp: an answer that nobody asked for');
  });

  it('sends who begins at the provider to begin here, where that is switched on, and takes nothing from them', async () => {
    const request = { requestId: '_x', address: `${origin()}/sign-in/callback/open`, audience: 'urn:x' };
    const form = {
      SAMLResponse: base64(signedBoth(responseOf(request, {}), company.key)),
      RelayState: 'https://evil.example',
    };
    const posted = await fetch(`${origin()}/sign-in/callback/open`, {
      method: 'POST',
      body: new URLSearchParams(form),
      redirect: 'manual',
    });
    expect([posted.status, posted.headers.get('location')]).toEqual([303, '/account']);
    expect(posted.headers.getSetCookie()).toEqual([]);
  });

  it('stands beside an OpenID provider: a domain leads to its own, and one person can have both', async () => {
    const browser = newBrowser();
    company.person = ana();
    const question = await browser.open(addressOf());
    expect(question.text).toMatch(/value="corp"[^]*value="open"[^]*value="sister"/);
    const atSister = await browser.submit(question, { with: 'corp', email: 'sue@Sister.example' });
    expect(atSister.url.startsWith(sister.issuer)).toBe(true);
    const page = await newBrowser().open(addressOf());
    expect(page.text).toContain('type="email"');
    const another = newBrowser();
    const atCorp = await another.submit(await another.open(addressOf()), { with: 'sister', email: 'ana@corp.example' });
    expect(atCorp.url.startsWith(company.ssoUrl)).toBe(true);
    expect(codeOf(await another.submit(atCorp, {}))).not.toBeNull();
    // The same person through another provider that the company trusts with the same domain.
    expect(codeOf(await signIn({ ...ana(), subject: 'other-name' }, newBrowser(), 'open'))).not.toBeNull();
    const links = await scene.query(
      `SELECT provider, count(DISTINCT principal_id)::int AS people FROM identity.identity_link
       WHERE subject IN ('G-ana', 'other-name') GROUP BY provider ORDER BY provider`,
    );
    expect(links).toEqual([
      { provider: 'corp', people: 1 },
      { provider: 'open', people: 1 },
    ]);
    const [{ people }] = (await scene.query(
      `SELECT count(DISTINCT principal_id)::int AS people FROM identity.identity_link WHERE subject IN ('G-ana', 'other-name')`,
    )) as [{ people: number }];
    expect(people).toBe(1);
  });

  it('gives its metadata to whoever asks', async () => {
    const response = await fetch(`${origin()}/sign-in/metadata/corp`);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/samlmetadata+xml']);
    expect(await response.text()).toContain(`Location="${origin()}/sign-in/callback/corp"`);
    expect((await fetch(`${origin()}/sign-in/metadata/sister`)).status).toBe(404);
  });
});

describe('a logout at a SAML provider', () => {
  const at = () => `${origin()}/sign-in/logout/corp`;
  const ask = async (query: string) => fetch(`${at()}?${query}`, { redirect: 'manual' });
  const post = async (xml: string, id = 'corp') =>
    fetch(`${origin()}/sign-in/logout/${id}`, {
      method: 'POST',
      body: new URLSearchParams({ SAMLRequest: base64(xml), RelayState: 'r 1' }),
      redirect: 'manual',
    });
  const signedOut = () => scene.principals.get(principalOf('ana@corp.example')!.id)?.signedOutAtMs ?? 0;

  it('ends every session and client here, by POST and in an address, and tells the provider so', async () => {
    expect(codeOf(await signIn(ana()))).not.toBeNull();
    const { id } = principalOf('ana@corp.example')!;
    let before = signedOut();
    const posted = await post(signed(logoutRequestOf(at(), 'G-ana'), 'LogoutRequest', company.key));
    const to = new URL(posted.headers.get('location')!);
    expect([posted.status, to.origin + to.pathname]).toEqual([303, 'https://idp.corp.example/slo']);
    expect([to.searchParams.has('SAMLResponse'), to.searchParams.get('RelayState')]).toEqual([true, 'r 1']);
    await expect.poll(signedOut).toBeGreaterThan(before);
    expect(await scene.query(`SELECT id FROM identity.oauth_item WHERE account_id = '${id}'`)).toEqual([]);
    before = signedOut();
    const query = signedQuery(logoutRequestOf(at(), 'G-ana'), company.key, { relayState: 'r2' });
    expect((await ask(query)).status).toBe(303);
    await expect.poll(signedOut).toBeGreaterThan(before);
  });

  it('of somebody who is not known here is done already; without an address for the answer there is a page', async () => {
    const there = `${origin()}/sign-in/logout/open`;
    const done = await post(signed(logoutRequestOf(there, 'nobody'), 'LogoutRequest', company.key), 'open');
    expect([done.status, (await done.text()).includes('You are signed out')]).toEqual([200, true]);
  });

  it('is not taken a second time, nor forged, unsigned, foreign, old or to somebody else', async () => {
    const before = signedOut();
    const once = signed(logoutRequestOf(at(), 'nobody'), 'LogoutRequest', company.key);
    expect([(await post(once)).status, (await post(once)).status]).toEqual([303, 400]);
    const of = (wrong: Parameters<typeof logoutRequestOf>[2], destination = at(), key = company.key) =>
      signed(logoutRequestOf(destination, 'G-ana', wrong), 'LogoutRequest', key);
    const wrong = [
      logoutRequestOf(at(), 'G-ana'),
      of({}, at(), stranger),
      of({}, `${origin()}/sign-in/logout/open`),
      of({ issuer: 'https://evil.example' }),
      of({ untilMs: Date.now() - 120_000 }),
      of({ issuedAtMs: Date.now() - 3_600_000 }),
      of({ format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' }),
      of({}).replace('G-ana', 'G-bo'),
      signed(logoutRequestOf(at(), 'G-ana'), 'LogoutRequest', company.key, { algorithm: RSA_SHA1 }),
      `<!DOCTYPE x>${of({})}`,
      '<a/>',
    ];
    for (const xml of wrong) expect((await post(xml)).status).toBe(400);
    const good = signedQuery(logoutRequestOf(at(), 'G-ana'), company.key);
    const inAddress = [
      good.replace(/&Signature=.*/, ''),
      good.replace(/&SigAlg=.*/, ''),
      good.replace('SigAlg=', `RelayState=x&SigAlg=`),
      `${good}&SAMLRequest=x`,
      good.replace(/Signature=.{8}/, 'Signature=AAAAAAAA'),
      signedQuery(logoutRequestOf(at(), 'G-ana'), stranger),
      signedQuery(logoutRequestOf(at(), 'G-ana'), company.key, { algorithm: RSA_SHA1 }),
      signedQuery(of({}), company.key),
      // A bomb: 4 MiB in 4 KiB.
      signedQuery(Buffer.alloc(1 << 22, 'a'), company.key),
      signedQuery('no message', company.key),
      `SAMLRequest=${encodeURIComponent(deflateRawSync(logoutRequestOf(at(), 'G-ana')).toString('base64'))}`,
      '',
    ];
    for (const query of inAddress) expect((await ask(query)).status).toBe(400);
    expect((await ask(`${good}&x=${'y'.repeat(8_192)}`)).status).toBe(400);
    expect(signedOut()).toBe(before);
    expect((await fetch(`${origin()}/sign-in/logout/sister`)).status).toBe(404);
    await expect
      .poll(failures, { timeout: 15_000 })
      .toContain('WDR_SIGN_IN_FAILED corp: a request to sign out was not taken: saml.unsigned');
    expect((await ask(good)).status).toBe(303);
  });
});

/** Starts identity with three providers, and tells it of the one virtual server. */
async function start(): Promise<void> {
  const names = { emailAttribute: 'mail', nameAttribute: 'shown' };
  const corp = {
    kind: 'saml',
    id: 'corp',
    name: 'Corp',
    entityId: ENTITY_ID,
    ssoUrl: company.ssoUrl,
    certificates: [company.key.certificate],
    emailDomains: ['corp.example'],
    ...names,
  };
  const oidc = {
    kind: 'oidc',
    id: 'sister',
    name: 'Sister',
    issuer: sister.issuer,
    clientId: 'warder',
    clientSecret: COMPANY_SECRET,
    emailDomains: ['sister.example'],
    allowPrivateAddress: true,
  };
  await scene.start({
    signIn: {
      attemptsPerMinute: 10_000,
      providers: [
        { ...corp, groupsAttribute: 'groups', logoutUrl: 'https://idp.corp.example/slo' },
        { ...corp, id: 'open', name: 'Open', idpInitiated: true },
        oidc,
      ],
    },
    groupRules: [{ from: 'admins', role: 'admin' }, { from: '*' }],
  });
  const document = PolicyDocument.parse({ upstreams: {}, virtualServers: { dev: { tools: [] } }, grants: [] });
  const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
  await scene.bus.ensureTopics([policySnapshotTopic]);
  await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
}
