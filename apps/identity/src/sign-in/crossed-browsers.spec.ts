import { createHash } from 'node:crypto';
import { type BrowserPage, ScriptedBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, Person, tellPolicy } from '../account/account.scene.js';
import { IdentityScene } from '../identity.scene.js';
import { Company, COMPANY_SECRET } from './company.scene.js';

const CALLBACK = 'https://editor.example/callback';
const VERIFIER = 'a-verifier-of-forty-three-characters-or-more-';
let scene: IdentityScene;
let company: Company;
let origin: string;
let clientId: string;

const authorizeUrl = (more: Record<string, string> = {}): string => {
  const params = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: CALLBACK,
    code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
    code_challenge_method: 'S256',
    scope: 'mcp',
    resource: `${origin}/mcp/dev`,
    ...more,
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
    code_verifier: VERIFIER,
  });

/** A browser that stops before it brings an answer of the provider's back, and at the client. */
class Stopping extends ScriptedBrowser {
  private stops: readonly string[];

  constructor(...stops: string[]) {
    super((url) => url.startsWith(CALLBACK) || this.stops.some((stop) => url.startsWith(stop)));
    this.stops = [`${origin}/sign-in/callback/`, ...stops];
  }

  /** Allows the client. @returns the page of the provider that it was sent to */
  async allow(): Promise<BrowserPage> {
    return this.submit(await this.open(authorizeUrl()), { with: 'corp' });
  }

  /** Signs in at the page of the provider. @returns the answer that it is to bring back */
  async signInThere(login: BrowserPage, subject: string): Promise<BrowserPage> {
    const page = await this.submit(login, { prompt: 'login', login: subject, password: 'x' });
    return page.status === 0 ? page : this.submit(page, { prompt: 'consent' });
  }

  bringBack(url: string): Promise<BrowserPage> {
    this.stops = [];
    return this.open(url);
  }
}

beforeAll(async () => {
  company = new Company({
    vic: { name: 'Vic', email: 'vic@corp.example', email_verified: true },
    eve: { name: 'Eve', email: 'eve@corp.example', email_verified: true },
  });
  await company.listen();
  scene = await IdentityScene.create();
  const corp = { kind: 'oidc', id: 'corp', name: 'Acme', issuer: company.issuer, clientId: 'warder' };
  const provider = { ...corp, clientSecret: COMPANY_SECRET, allowPrivateAddress: true };
  await scene.start({ signIn: { local: true, attemptsPerMinute: 10_000, providers: [provider] } });
  origin = scene.running!.url;
  company.serve(origin);
  await tellPolicy(scene);
  clientId = await scene.registerClient(CALLBACK);
});
afterAll(async () => {
  await scene?.close();
  await company?.close();
});

describe('two browsers, of which one is an attacker’s', () => {
  it('do not finish what the attacker began with whom the victim is (confused deputy)', async () => {
    const [attacker, victim] = [new Stopping(`${company.issuer}/auth`), new Stopping()];
    // The attacker allows their own client, and has the victim go on from there.
    const login = await attacker.allow();
    const answer = await victim.signInThere(await victim.open(login.url), 'vic');
    expect(answer.url).toContain(`${origin}/sign-in/callback/corp`);
    expect((await victim.bringBack(answer.url)).status).toBe(400);
    // Nothing came of it in either browser, nor does the attacker come in by their own half of it.
    expect((await victim.open(`${origin}/account`)).text).toContain('Sign in to Warder');
    expect(await scene.query('SELECT 1 FROM identity.identity_link')).toEqual([]);
    const state = new URL(answer.url).searchParams.get('state')!;
    expect((await attacker.bringBack(`${origin}/sign-in/callback/corp?state=${state}`)).status).toBe(502);
    expect((await attacker.open(`${origin}/account`)).text).toContain('Sign in to Warder');
  });

  it('do not finish what the victim began with whom the attacker is, and leave it to the victim', async () => {
    const [attacker, victim] = [new Stopping(), new Stopping()];
    // With a consent of the attacker's own open, so that every cookie is there, of the attacker's.
    const own = await attacker.signInThere(await attacker.allow(), 'eve');
    const login = await victim.allow();
    const hers = await victim.signInThere(login, 'vic');
    const state = new URL(hers.url).searchParams.get('state')!;
    const crossed = new URL(own.url);
    crossed.searchParams.set('state', state);
    expect((await attacker.bringBack(crossed.href)).status).toBe(400);
    expect((await attacker.bringBack(hers.url)).status).toBe(400);
    const planted = await new Stopping().bringBack(own.url);
    expect(planted.status).toBe(400);
    const done = await victim.bringBack(hers.url);
    expect((await redeem(done)).status).toBe(200);
    expect((await victim.open(`${origin}/account`)).text).toContain('You are signed in as <strong>Vic</strong>');
  });

  it('do not share a sign-in of one window with the question of another', async () => {
    const victim = new Stopping();
    const [first, second] = [await victim.allow(), await victim.open(authorizeUrl())];
    const answer = await victim.signInThere(first, 'vic');
    expect((await victim.bringBack(answer.url)).url).toContain('code=');
    // The other window's question is still open, and asks for its own answer.
    expect(second.text).toContain('Let “Editor” use “dev” for you?');
  });
});

describe('a sign-in as somebody else in one browser', () => {
  it('changes who it is, leaves no session of who it was, and ends no program of theirs', async () => {
    const ana = await Person.make(scene, 'ana');
    const bo = await Person.make(scene, 'bo');
    const browser = ScriptedBrowser.until(CALLBACK);
    const as = async (email: string, more: Record<string, string> = {}): Promise<BrowserPage> => {
      const form = await browser.submit(await browser.open(authorizeUrl(more)), { with: 'local' });
      return browser.submit(form, { email, password: PASSWORD });
    };
    const { body: hers } = await redeem(await as(ana.email));
    const page = await as(bo.email, { prompt: 'login' });
    expect(page.url).toContain('code=');
    expect((await browser.open(`${origin}/account`)).text).toContain('You are signed in as <strong>bo</strong>');
    expect((await scene.ask('GET', `/principals/${ana.id}/sessions`)).body['sessions']).toEqual([]);
    const refreshed = await ask({ grant_type: 'refresh_token', refresh_token: hers.refresh_token });
    expect(refreshed.status).toBe(200);
    const { body } = await scene.ask('GET', `/principals/${bo.id}/clients`);
    expect(body['clients']).toHaveLength(1);
  });
});

describe('the page that signs a browser out', () => {
  it('is one of ours: nothing from elsewhere, nothing that may frame it, no script', async () => {
    const cy = await Person.make(scene, 'cy');
    await cy.come();
    const page = await cy.browser.open(`${origin}/oauth/sign-out`);
    expect(page.text).toContain('<h1>Sign out?</h1>');
    expect(page.headers?.get('x-frame-options')).toBe('DENY');
    expect(page.headers?.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.text).not.toMatch(/https?:\/\/(?!127\.0\.0\.1)|<script/);
    const kept = await cy.browser.submit(page, {});
    expect(kept.text).toContain('You are still signed in');
    expect((await cy.open()).text).toContain('You are signed in as <strong>cy</strong>');
    const out = await cy.browser.submit(await cy.browser.open(`${origin}/oauth/sign-out`), { logout: 'yes' });
    expect([out.status, out.text.includes('This browser is signed out.')]).toEqual([200, true]);
    expect(out.headers?.get('x-frame-options')).toBe('DENY');
    expect((await cy.open()).text).toContain('Sign in to Warder');
  });

  it('takes its own form alone', async () => {
    const dee = await Person.make(scene, 'dee');
    await dee.come();
    for (const form of [{ logout: 'yes' }, { logout: 'yes', xsrf: 'x'.repeat(21) }] as Record<string, string>[])
      expect((await dee.browser.open(`${origin}/oauth/sign-out/confirm`, form)).status).toBe(400);
    expect((await dee.open()).text).toContain('You are signed in as <strong>dee</strong>');
  });
});
