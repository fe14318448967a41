import { createHash, randomBytes } from 'node:crypto';
import { PolicyDocument, policySnapshotTopic } from '@warder/contracts';
import { type BrowserPage, ScriptedBrowser } from '@warder/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { PASSWORD, Person, tellPolicy } from '../account/account.scene.js';
import { IdentityScene } from '../identity.scene.js';

const CALLBACK = 'http://127.0.0.1:5999/callback';
const WEB_CALLBACK = 'https://console.example/callback';
const MINUTE_MS = 60_000;
const SOON = { timeout: 10_000 };

let scene: IdentityScene;
let origin: string;
let root: Person;
let aheadMs = 0;

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly error: string;
}

const claimsOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Readonly<Record<string, unknown>>;

/** A program that asks for a token, and the browser of its person. */
class Program {
  readonly browser: ScriptedBrowser;
  private readonly verifier = randomBytes(32).toString('base64url');

  constructor(
    readonly clientId: string,
    private readonly callback = CALLBACK,
  ) {
    this.browser = ScriptedBrowser.until(callback.slice(0, -9));
  }

  addressOf(more: Record<string, string> = {}): string {
    const params = {
      client_id: this.clientId,
      response_type: 'code',
      redirect_uri: this.callback,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      resource: `${origin}/admin`,
      scope: 'admin offline_access',
      ...more,
    };
    return `${origin}/oauth/authorize?${new URLSearchParams(params)}`;
  }

  async signIn(consent: BrowserPage): Promise<BrowserPage> {
    const form = await this.browser.submit(consent, { with: 'local' });
    return this.browser.submit(form, { email: root.email, password: PASSWORD });
  }

  redeem(page: BrowserPage): Promise<Tokens> {
    const code = new URL(page.url).searchParams.get('code') ?? '';
    const form = { grant_type: 'authorization_code', code, redirect_uri: this.callback, code_verifier: this.verifier };
    return this.ask(form);
  }

  async ask(form: Record<string, string>): Promise<Tokens> {
    const body = new URLSearchParams({ client_id: this.clientId, ...form });
    return (await (await fetch(`${origin}/oauth/token`, { method: 'POST', body })).json()) as Tokens;
  }
}

const change = async (bearer: string) => {
  const made = await scene.ask('POST', '/principals', { name: 'Somebody', kind: 'human' }, bearer);
  return [made.status, made.body.error?.code];
};

beforeAll(async () => {
  scene = await IdentityScene.create();
  scene.nowMs = () => Date.now() + aheadMs;
  const people = { redirectUris: [CALLBACK] };
  await scene.start({
    authorization: {
      clients: [
        { id: 'ops-console', name: 'Ops console', admin: true, ...people },
        { id: 'web-console', name: 'Web console', admin: true, redirectUris: [WEB_CALLBACK] },
        { id: 'editor', name: 'Editor', ...people },
      ],
    },
  });
  origin = scene.running!.url;
  await tellPolicy(scene);
  root = await Person.make(scene, 'root', { roles: ['admin'] });
});
afterAll(() => scene.close());

describe('a client that people administer through', () => {
  it('asks its person, gets a token for the admin doors alone, and is asked for a new sign-in when that is old', async () => {
    const program = new Program('ops-console');
    const consent = await program.browser.open(program.addressOf());
    expect(consent.text).toContain('Let “Ops console” administer Warder for you?');
    const tokens = await program.redeem(await program.signIn(consent));
    expect(claimsOf(tokens.access_token)).toMatchObject({
      aud: `${origin}/admin`,
      scope: 'admin',
      auth_time: expect.any(Number),
    });
    expect(await change(tokens.access_token)).toEqual([201, undefined]);

    aheadMs += 20 * MINUTE_MS;
    const refreshed = await program.ask({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
    // A refresh is no sign-in: it says what the first token said.
    expect(claimsOf(refreshed.access_token)['auth_time']).toBe(claimsOf(tokens.access_token)['auth_time']);
    expect((await scene.ask('GET', '/principals', undefined, refreshed.access_token)).status).toBe(200);
    expect(await change(refreshed.access_token)).toEqual([401, 'WDR_SIGN_IN_NOT_RECENT']);

    const again = await program.browser.open(program.addressOf({ max_age: '900' }));
    expect(again.url).toContain('/sign-in/');
    const fresh = await program.redeem(await program.signIn(again));
    expect(await change(fresh.access_token)).toEqual([201, undefined]);
    // Records come over the bus.
    const recorded = (action: string) => scene.records.filter(({ method }) => method === `admin/identity/${action}`);
    const changes = () => recorded('principal.create').filter(({ agent }) => agent?.kind === 'oauth');
    await expect.poll(() => [recorded('consent.grant').length, changes().length], SOON).toEqual([2, 2]);
    for (const { personal } of recorded('consent.grant'))
      expect(personal?.arguments).toMatchObject({ value: { clientId: 'ops-console', admin: true } });
    expect(changes()[0]).toMatchObject({ verified: { client: 'ops-console', by: 'advance' } });
  });

  it('has no door there that the company did not open for it', async () => {
    for (const [clientId, resource] of [
      ['editor', '/admin'],
      ['ops-console', '/admin/'],
      ['ops-console', '/admin/identity'],
    ]) {
      const page = await new Program(clientId!).browser.open(
        new Program(clientId!).addressOf({ resource: `${origin}${resource}` }),
      );
      expect(new URL(page.url).searchParams.get('error')).toBe('invalid_target');
    }
  });

  it('cannot make a token for the admin doors of one that is for a server, nor the reverse', async () => {
    const program = new Program('ops-console');
    const consent = await program.browser.open(
      program.addressOf({ resource: `${origin}/mcp/dev`, scope: 'mcp offline_access' }),
    );
    const tokens = await program.redeem(await program.signIn(consent));
    expect(claimsOf(tokens.access_token)).toMatchObject({ aud: `${origin}/mcp/dev`, scope: 'mcp' });
    expect(claimsOf(tokens.access_token)['auth_time']).toBeUndefined();
    expect((await scene.ask('GET', '/principals', undefined, tokens.access_token)).status).toBe(401);
    const turned = await program.ask({
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token,
      resource: `${origin}/admin`,
    });
    expect(turned.error).toBe('invalid_target');
  });

  it('asks its person of the admin doors whatever scopes it names, though they allowed it a server before', async () => {
    // On the web, where nobody is asked again for what was allowed: a program of a machine asks each time.
    const program = new Program('web-console', WEB_CALLBACK);
    const server = { resource: `${origin}/mcp/dev`, scope: 'mcp offline_access' };
    await program.redeem(await program.signIn(await program.browser.open(program.addressOf(server))));
    const again = await program.browser.open(program.addressOf(server));
    expect(again.url).toContain(`${WEB_CALLBACK}?code=`);
    for (const scope of ['openid', 'mcp', 'mcp offline_access', '']) {
      const asked = await program.browser.open(program.addressOf({ scope }));
      expect(asked.text).toContain('Let “Web console” administer Warder for you?');
    }
    const silent = await program.browser.open(program.addressOf({ scope: 'mcp', prompt: 'none' }));
    expect(new URL(silent.url).searchParams.get('error')).toBe('consent_required');
  });

  it('is told from one of a virtual server that has the name of the doors', async () => {
    const document = PolicyDocument.parse({ virtualServers: { dev: { tools: [] }, admin: { tools: [] } } });
    const snapshot = { version: 2, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
    await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
    const program = new Program('editor');
    const consent = await vi.waitFor(async () => {
      const page = await program.browser.open(program.addressOf({ resource: `${origin}/mcp/admin`, scope: '' }));
      if (page.status !== 200) throw new Error(page.url);
      return page;
    });
    const tokens = await program.redeem(await program.signIn(consent));
    expect(claimsOf(tokens.access_token)).toMatchObject({ aud: `${origin}/mcp/admin`, scope: 'mcp' });
    expect((await scene.ask('GET', '/principals', undefined, tokens.access_token)).status).toBe(401);
    const { clients } = (await scene.ask('GET', `/principals/${root.id}/clients`)).body as unknown as {
      clients: { clientId: string; admin: boolean; virtualServers: string[] }[];
    };
    expect(clients.find(({ clientId }) => clientId === 'editor')).toMatchObject({
      admin: false,
      virtualServers: ['admin'],
    });
  });
});
