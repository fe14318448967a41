import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserPage, ScriptedBrowser } from '@warder/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { tellPolicy } from '../account/account.scene.js';
import { accountSignInUrl } from '../authorization/first-party.js';
import { IdentityScene } from '../identity.scene.js';
import { Company, COMPANY_SECRET } from './company.scene.js';
import { ENTITY_ID, makeKey, SamlCompany } from './saml/saml-company.scene.js';

const MAKE = '<h1>Make a token</h1>';
const AGAIN = '<h1>Sign in again</h1>';
let scene: IdentityScene;
let company: Company;
let samlCompany: SamlCompany;

const nowS = () => Math.floor(Date.now() / 1_000);
const failures = () =>
  scene.records.flatMap(({ refusal, personal }) =>
    refusal === null ? [] : `${refusal.code} ${personal?.refusalDetail}`,
  );
/** Goes on by a provider from a page that asks who it is; `asked` is whether the provider asked it too. */
const goOn = async (
  page: BrowserPage,
  by: 'oidc' | 'saml',
  browser: ScriptedBrowser,
): Promise<BrowserPage & { asked: boolean }> => {
  let next = await browser.submit(page, { with: by });
  const asked = next.text.includes('name="prompt" value="login"');
  if (asked) next = await browser.submit(next, { prompt: 'login', login: 'ana', password: 'x' });
  if (next.text.includes('name="prompt" value="consent"')) next = await browser.submit(next, { prompt: 'consent' });
  if (next.text.includes('name="SAMLResponse"')) next = await browser.submit(next, {});
  return { ...next, asked };
};
const open = (path: string, browser: ScriptedBrowser) => browser.open(`${scene.running!.url}${path}`);
/** A browser that somebody signed in with, by the provider's own session or without one. */
const signedIn = async (by: 'oidc' | 'saml'): Promise<ScriptedBrowser> => {
  const browser = new ScriptedBrowser();
  const page = await goOn(await open('/account', browser), by, browser);
  expect(page.text).toContain('Your account');
  return browser;
};
const demandOf = (url: string | undefined) => {
  const { searchParams } = new URL(url ?? '', 'http://company');
  return { prompt: searchParams.get('prompt'), maxAge: searchParams.get('max_age') };
};
const lastDemand = () => demandOf(company.asked.findLast((path) => path.startsWith('/auth?')));

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'warder-fresh-'));
  samlCompany = new SamlCompany(makeKey(directory, 'current'));
  rmSync(directory, { recursive: true });
  company = new Company({ ana: { name: 'Ana', email: 'ana@corp.example', email_verified: true } });
  await Promise.all([company.listen(), samlCompany.listen()]);
  scene = await IdentityScene.create();
  const oidc = { kind: 'oidc', id: 'oidc', name: 'Corp', issuer: company.issuer, allowPrivateAddress: true };
  const saml = { kind: 'saml', id: 'saml', name: 'Corp by SAML', entityId: ENTITY_ID, ssoUrl: samlCompany.ssoUrl };
  const providers = [
    { ...oidc, clientId: 'warder', clientSecret: COMPANY_SECRET },
    { ...saml, certificates: [samlCompany.key.certificate] },
  ];
  await scene.start({ signIn: { attemptsPerMinute: 10_000, providers }, account: { changesPerMinute: 1_000 } });
  company.serve(scene.running!.url, 'oidc');
  await tellPolicy(scene);
});
afterEach(() => {
  company.ignored = [];
  company.authTimeS = undefined;
  samlCompany.person = {};
});
afterAll(async () => {
  await scene?.close();
  await Promise.all([company?.close(), samlCompany?.close()]);
});

describe('a sign-in that has to be a new one, at a provider of OpenID Connect', () => {
  it('is asked for there, and the person has to say who they are though they have a session', async () => {
    const browser = await signedIn('oidc');
    expect(lastDemand()).toEqual({ prompt: null, maxAge: null });
    const again = await open('/account/tokens/new', browser);
    expect(again.text).toContain(AGAIN);
    const page = await goOn(again, 'oidc', browser);
    expect(lastDemand()).toEqual({ prompt: 'login', maxAge: '898' });
    expect([page.asked, page.text.includes(MAKE)]).toEqual([true, true]);
    expect((await open('/account/tokens/new', browser)).text).toContain(MAKE);
  });

  it('is asked for of whoever comes straight to what matters, without a session here', async () => {
    const browser = await signedIn('oidc');
    await open('/account', browser);
    const page = await browser.open(`${scene.running!.url}/account`);
    const [, token = ''] = /name="token" value="([^"]+)"/.exec(page.text) ?? [];
    await browser.open(`${scene.running!.url}/account/sign-out`, { token });
    const asked = await goOn(await open('/account/tokens/new', browser), 'oidc', browser);
    expect([asked.asked, asked.text.includes(MAKE)]).toEqual([true, true]);
  });

  it('is none where the provider took no notice, says nothing of when, or says what cannot be', async () => {
    const takesNoNotice = [
      [['prompt', 'max_age'], undefined, 'it does not say when the person signed in there'],
      [['prompt'], nowS() - 5_000, 'the person was not asked there to sign in again'],
      [['prompt'], nowS() + 5_000, 'the person signed in there at a time that is yet to come'],
    ] as const;
    for (const [ignored, authTimeS] of takesNoNotice) {
      const browser = await signedIn('oidc');
      company.ignored = ignored;
      company.authTimeS = authTimeS;
      const page = await goOn(await open('/account/tokens/new', browser), 'oidc', browser);
      expect([page.asked, page.status, page.text.includes('did not confirm')]).toEqual([false, 403, true]);
      [company.ignored, company.authTimeS] = [[], undefined];
      expect((await open('/account/tokens/new', browser)).text).toContain(AGAIN);
    }
    const told = takesNoNotice.map(([, , why]) => `WDR_SIGN_IN_FAILED oidc: ${why}`);
    await expect.poll(failures, { timeout: 15_000 }).toEqual(expect.arrayContaining(told));
  });

  it('makes the session here no younger than the provider says that it is', async () => {
    const browser = await signedIn('oidc');
    [company.ignored, company.authTimeS] = [['prompt'], nowS() - 800];
    const page = await goOn(await open('/account/tokens/new', browser), 'oidc', browser);
    expect(page.text).toContain(MAKE);
    const found = await scene.query(
      `SELECT 1 FROM identity.oauth_item WHERE model = 'Session' AND payload->>'loginTs' = '${company.authTimeS}'`,
    );
    expect(found).toHaveLength(1);
    // The page of one's browsers says when the browser came, not when the provider asked.
    expect((await open('/account', browser)).text).not.toContain('1970');
  });

  it('is one at this very time where a client asks for that', async () => {
    const browser = await signedIn('oidc');
    const address = `${accountSignInUrl('overview')}&prompt=login`;
    const page = await goOn(await open(address, browser), 'oidc', browser);
    expect(lastDemand()).toEqual({ prompt: 'login', maxAge: '0' });
    expect([page.asked, page.text.includes('Your account')]).toEqual([true, true]);
    [company.ignored, company.authTimeS] = [['prompt', 'max_age'], nowS() - 100];
    expect((await goOn(await open(address, browser), 'oidc', browser)).status).toBe(403);
  });
});

describe('a sign-in that has to be a new one, at a SAML provider', () => {
  const isForced = () => / ForceAuthn="true"/.test(samlCompany.asked?.xml ?? '');

  it('is asked for there, and taken if the person was authenticated since', async () => {
    const browser = await signedIn('saml');
    expect(isForced()).toBe(false);
    // Whatever the provider said of a time that nobody asked for.
    const again = await open('/account/tokens/new', browser);
    expect(again.text).toContain(AGAIN);
    const page = await goOn(again, 'saml', browser);
    expect([isForced(), page.text.includes(MAKE)]).toEqual([true, true]);
  });

  it('is none where the provider let somebody in by a session that is too old', async () => {
    const browser = await signedIn('saml');
    samlCompany.person = { authenticatedAt: new Date(Date.now() - 5_000_000).toISOString() };
    const page = await goOn(await open('/account/tokens/new', browser), 'saml', browser);
    expect([isForced(), page.status, page.text.includes('did not confirm')]).toEqual([true, 403, true]);
    await expect
      .poll(failures, { timeout: 15_000 })
      .toContain('WDR_SIGN_IN_FAILED saml: the person was not asked there to sign in again');
    expect((await open('/account/tokens/new', browser)).text).toContain(AGAIN);
  });

  it('is none, nor any other sign-in, at a time that is no time or is yet to come', async () => {
    for (const authenticatedAt of ['', 'yesterday', new Date(Date.now() + 5_000_000).toISOString()]) {
      samlCompany.person = { authenticatedAt };
      const browser = new ScriptedBrowser();
      expect((await goOn(await open('/account', browser), 'saml', browser)).status).toBe(502);
    }
    await expect.poll(failures, { timeout: 15_000 }).toContain('WDR_SIGN_IN_FAILED saml: saml.authentication');
  });
});
