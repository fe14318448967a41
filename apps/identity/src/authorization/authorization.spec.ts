import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { PolicyDocument, policySnapshotTopic, toolDefinitionDiscoveredTopic } from '@warder/contracts';
import { AccessTokens, Callers, PrincipalDirectory } from '@warder/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityScene, PEPPER } from '../identity.scene.js';
import { type BrowserPage, ScriptedBrowser } from '@warder/testing';

const CALLBACK = 'http://127.0.0.1:5999/callback';
const PASSWORD = 'correct horse battery';
let scene: IdentityScene;
let origin: string;

interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly error: string;
}

const ask = async (path: string, form: Record<string, string>) => {
  const response = await fetch(origin + path, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, body: (await response.json().catch(() => ({}))) as Tokens };
};
const register = async (more: object = {}) => {
  const body = { client_name: 'Editor', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none', ...more };
  const response = await fetch(`${origin}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as { client_id: string; application_type: string } };
};

/** A client and a browser in the middle of a sign-in. */
class Visit {
  readonly browser = ScriptedBrowser.until(CALLBACK.slice(0, -9));
  readonly verifier = randomBytes(32).toString('base64url');

  constructor(
    readonly clientId: string,
    private readonly more: Record<string, string> = {},
    browser?: ScriptedBrowser,
  ) {
    if (browser !== undefined) this.browser = browser;
  }

  get address(): string {
    const params = {
      client_id: this.clientId,
      response_type: 'code',
      redirect_uri: CALLBACK,
      code_challenge: createHash('sha256').update(this.verifier).digest('base64url'),
      code_challenge_method: 'S256',
      scope: 'mcp',
      state: 'st',
      resource: `${origin}/mcp/dev`,
      ...this.more,
    };
    const wanted = Object.entries(params).filter(([, value]) => value !== '');
    return `${origin}/oauth/authorize?${new URLSearchParams(wanted)}`;
  }

  async signIn(email = 'ana@example.com', password = PASSWORD): Promise<BrowserPage> {
    const consent = await this.browser.open(this.address);
    const form = await this.browser.submit(consent, { with: 'local' });
    return this.browser.submit(form, { email, password });
  }

  async tokens(page: BrowserPage): Promise<{ status: number; body: Tokens }> {
    const code = new URL(page.url).searchParams.get('code') ?? '';
    return ask('/oauth/token', {
      grant_type: 'authorization_code',
      code,
      client_id: this.clientId,
      redirect_uri: new URL(this.address).searchParams.get('redirect_uri') ?? '',
      code_verifier: this.verifier,
      resource: `${origin}/mcp/dev`,
    });
  }

  refresh(refreshToken: string) {
    return ask('/oauth/token', { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: this.clientId });
  }
}

/** As `tokens` of the visit, with some of the form otherwise. */
const redeemed = (visit: Visit, page: BrowserPage, changed: Record<string, string>) =>
  ask('/oauth/token', {
    grant_type: 'authorization_code',
    code: new URL(page.url).searchParams.get('code') ?? '',
    client_id: visit.clientId,
    redirect_uri: CALLBACK,
    code_verifier: visit.verifier,
    resource: `${origin}/mcp/dev`,
    ...changed,
  });
/** The status that a request as written is answered with. */
const statusOf = async (head: string): Promise<number> => {
  const socket = connect(Number(new URL(origin).port), '127.0.0.1');
  socket.end(head);
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return Number(text.slice(9, 12));
};

/** What an ingress node says of a bearer, by what identity told the bus. */
const atIngress = (bearer: string, server = 'dev') => {
  const directory = new PrincipalDirectory({ p1: PEPPER });
  const callers = new Callers(directory, new AccessTokens(() => origin));
  for (const [id, state] of scene.principals) callers.applyPrincipal(id, state);
  for (const [id, state] of scene.signingKeys) callers.applyKey(id, state);
  for (const [id, state] of scene.grants) callers.applyGrant(id, state);
  return callers.examine(bearer, `${origin}/mcp/${server}`, scene.nowMs(), '127.0.0.1');
};

async function newcomer(email: string): Promise<string> {
  const { body } = await scene.ask('POST', '/principals', { name: email.split('@')[0], email, groups: ['developers'] });
  const { body: link } = await scene.ask('POST', `/principals/${body.id}/password-link`);
  const browser = ScriptedBrowser.until(CALLBACK);
  const page = await browser.open((link as unknown as { url: string }).url);
  expect((await browser.submit(page, { password: PASSWORD })).status).toBe(200);
  return body.id;
}

beforeAll(async () => {
  scene = await IdentityScene.create();
  await scene.start({
    authorization: { registration: { perMinute: 1_000 }, refreshReuseSeconds: 30 },
    signIn: { attemptsPerMinute: 10_000 },
  });
  origin = scene.running!.url;
  const document = PolicyDocument.parse({
    upstreams: { files: { transport: { kind: 'streamable-http', url: 'https://files.example/mcp' } } },
    virtualServers: {
      dev: { description: 'What developers use', tools: [{ upstream: 'files', tool: '*', prefix: '' }] },
      ops: { tools: [] },
    },
    grants: [{ name: 'readers', effect: 'permit', to: { group: 'developers' }, tools: ['files/read'] }],
  });
  const definitions = [
    { name: 'read', description: 'Reads a <b>file</b>. Slowly.', inputSchema: { type: 'object' } },
    { name: 'wipe', description: 'Wipes the disk.', inputSchema: { type: 'object' } },
  ];
  const tools = definitions.map((definition) => ({ hash: definition.name, definition }));
  const catalogue = { version: 1, status: 'active' as const, upstream: 'files', hash: 'x', node: 'n' };
  await scene.bus.ensureTopics([policySnapshotTopic, toolDefinitionDiscoveredTopic]);
  await scene.bus.publish(toolDefinitionDiscoveredTopic, 'files', { ...catalogue, tools });
  const snapshot = { version: 1, status: 'active' as const, minReader: 1, publishedAtMs: 1, document };
  await scene.bus.publish(policySnapshotTopic, 'current', snapshot);
  await newcomer('ana@example.com');
});

afterAll(async () => {
  await scene?.close();
});

describe('the authorization server', () => {
  it('says what clients look for before they begin', async () => {
    for (const path of ['oauth-authorization-server', 'openid-configuration']) {
      const metadata = (await (await fetch(`${origin}/.well-known/${path}`)).json()) as Record<string, unknown>;
      expect(metadata).toMatchObject({
        issuer: origin,
        authorization_endpoint: `${origin}/oauth/authorize`,
        token_endpoint: `${origin}/oauth/token`,
        registration_endpoint: `${origin}/oauth/register`,
        revocation_endpoint: `${origin}/oauth/revoke`,
        introspection_endpoint: `${origin}/oauth/introspect`,
        code_challenge_methods_supported: ['S256'],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
      });
      expect(metadata['token_endpoint_auth_methods_supported']).toContain('none');
      expect(metadata['response_types_supported']).toEqual(['code', 'none']);
    }
  });

  it('makes its addresses of the configured origin, whatever a header says', async () => {
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    const metadata = await (await fetch(`${origin}/.well-known/openid-configuration`, { headers })).json();
    expect(JSON.stringify(metadata)).not.toContain('evil');
  });

  it('asks the person first, then who it is, and gives a token for the one server that ingress takes', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    const consent = await visit.browser.open(visit.address);
    expect(consent.status).toBe(200);
    expect(consent.headers?.get('content-security-policy')).toContain("default-src 'none'");
    expect(consent.text).toContain('Let “Editor” use “dev” for you?');
    expect(consent.text).toContain('Nobody has verified who it is.');
    expect(consent.text).toContain('a program on this computer (127.0.0.1:5999)');
    // Anybody can register a client and ask: what the tools are called is not theirs to read.
    expect(consent.text).toContain('It offers 2 tools.');
    expect(consent.text).not.toMatch(/read<|Reads|wipe/i);
    const page = await visit.browser.submit(await visit.browser.submit(consent, { with: 'local' }), {
      email: 'ANA@example.com',
      password: PASSWORD,
    });
    const answer = new URL(page.url).searchParams;
    expect([answer.get('state'), answer.get('iss')]).toEqual(['st', origin]);
    const { status, body } = await visit.tokens(page);
    expect(status).toBe(200);
    expect(body.refresh_token).toBeTypeOf('string');
    const found = atIngress(body.access_token);
    if (typeof found === 'string') throw new Error(found);
    expect(found.principal.email).toBe('ana@example.com');
    expect(found.token).toMatchObject({ name: 'Editor', client: { id: client.client_id, by: 'registration' } });
    expect(atIngress(body.access_token, 'ops')).toBe('audience');
  });

  it('asks a client of the web nothing the second time, one of the machine for a yes, and both for another server', async () => {
    const callback = 'https://editor.example/callback';
    const { body: web } = await register({ redirect_uris: [callback] });
    const { body: native } = await register();
    const browser = ScriptedBrowser.until('https://editor.example', CALLBACK.slice(0, -9));
    const first = new Visit(web.client_id, { redirect_uri: callback }, browser);
    expect((await first.tokens(await first.signIn())).status).toBe(200);
    const again = new Visit(web.client_id, { redirect_uri: callback }, browser);
    const page = await browser.open(again.address);
    expect((await again.tokens(page)).status).toBe(200);
    // Any program on the machine can pose as one that a person allowed before (RFC 8252 section 8.6).
    for (const client of [new Visit(native.client_id, {}, browser), new Visit(native.client_id, {}, browser)]) {
      const asked = await browser.open(client.address);
      expect(asked.text).toContain('You are signed in as <strong>ana</strong>.');
      expect(asked.text).toContain('<strong>read</strong> Reads a &#60;b&#62;file&#60;/b&#62;.');
      expect(asked.text).not.toMatch(/wipe/i);
      expect((await client.tokens(await browser.submit(asked, { with: 'session' }))).status).toBe(200);
    }
    const other = await browser.open(
      new Visit(web.client_id, { redirect_uri: callback, resource: `${origin}/mcp/ops` }).address,
    );
    expect(other.text).toContain('use “ops” for you?');
    expect(other.text).toContain('Your company lets you use no tool of it at the moment.');
    const allowed = await browser.submit(other, { with: 'session' });
    expect(new URL(allowed.url).searchParams.get('code')).not.toBeNull();
  });

  it('gives tokens for the server that is built in too', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id, { resource: `${origin}/mcp/audit` });
    expect((await visit.browser.open(visit.address)).text).toContain('Let “Editor” use “audit” for you?');
  });

  it('tells the client when the person does not allow it', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    const page = await visit.browser.submit(await visit.browser.open(visit.address), { with: 'deny' });
    expect(new URL(page.url).searchParams.get('error')).toBe('access_denied');
  });

  it('puts sign-in, consent and failures on record', async () => {
    const { body: client } = await register();
    await new Visit(client.client_id).signIn();
    const failed = await new Visit(client.client_id).signIn('ana@example.com', 'wrong and wrong again');
    expect(failed.status).toBe(401);
    await expect.poll(() => scene.records.map(({ method }) => method)).toContain('admin/identity/consent.grant');
    const signIn = scene.records.find(({ method }) => method === 'admin/identity/sign-in.complete');
    expect(signIn).toMatchObject({ kind: 'authentication', decision: 'permit' });
  });
});

describe('clients as they are in the field', () => {
  it('that name a scope when they register, or none when they ask, are not sent in circles (traps 1, 2)', async () => {
    const { status, body: client } = await register({ scope: 'mcp' });
    expect(status).toBe(201);
    const visit = new Visit(client.client_id, { scope: '' });
    expect((await visit.tokens(await visit.signIn())).status).toBe(200);
  });

  it('that mix addresses of the machine, of the web and of schemes, and name no type, are native ones (trap 3)', async () => {
    const uris = [
      'cursor://anysphere.cursor-mcp/oauth/callback',
      'http://localhost:8787/callback',
      'https://www.cursor.com/cb',
    ];
    const { status, body } = await register({ redirect_uris: uris });
    expect([status, body.application_type]).toEqual([201, 'native']);
    const { body: client } = await register({ redirect_uris: ['http://127.0.0.1/callback'] });
    const visit = new Visit(client.client_id);
    expect((await visit.tokens(await visit.signIn())).status).toBe(200);
  });

  it('whose windows refresh at once all go on; a replay after the window ends the family, everywhere (trap 5)', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    const { body: first } = await visit.tokens(await visit.signIn());
    const answers = await Promise.all([1, 2, 3].map(() => visit.refresh(first.refresh_token)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const newest = answers[0]!.body;
    expect(atIngress(newest.access_token)).toBeTypeOf('object');
    const real = scene.nowMs;
    scene.nowMs = () => real() + 31_000;
    const replayed = await visit.refresh(first.refresh_token);
    expect([replayed.status, replayed.body.error]).toEqual([400, 'invalid_grant']);
    for (const { body } of answers) expect((await visit.refresh(body.refresh_token)).status).toBe(400);
    await expect.poll(() => atIngress(newest.access_token)).toBe('grant-revoked');
    scene.nowMs = real;
  });

  it('that give their token back have ended it', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    const { body } = await visit.tokens(await visit.signIn());
    const response = await fetch(`${origin}/oauth/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ token: body.refresh_token, client_id: client.client_id }),
    });
    expect(response.status).toBe(200);
    expect((await visit.refresh(body.refresh_token)).status).toBe(400);
    await expect.poll(() => atIngress(body.access_token)).toBe('grant-revoked');
  });
});

describe('attacks', () => {
  it('an unknown server, a foreign address and a downgraded PKCE are refused', async () => {
    const { body: client } = await register();
    const at = async (more: Record<string, string>) => {
      const visit = new Visit(client.client_id, more);
      return visit.browser.open(visit.address);
    };
    const unknown = await at({ resource: `${origin}/mcp/none` });
    expect(new URL(unknown.url).searchParams.get('error')).toBe('invalid_target');
    const elsewhere = await at({ resource: 'https://other.example/mcp/dev' });
    expect(new URL(elsewhere.url).searchParams.get('error')).toBe('invalid_target');
    for (const uri of ['http://127.0.0.1:5999/evil', 'https://evil.example/callback', `${CALLBACK}#x`]) {
      const page = await at({ redirect_uri: uri });
      expect([page.status, page.url.startsWith(origin)]).toEqual([400, true]);
      expect(page.text).toContain('Your program asked for something that cannot be given');
    }
    const weaker: Record<string, string>[] = [{ code_challenge: '' }, { code_challenge_method: 'plain' }];
    for (const more of weaker) {
      const page = await at(more);
      expect(new URL(page.url).searchParams.get('error')).toBe('invalid_request');
    }
  });

  it('a code is good once, with its verifier, for its client and its server', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    const page = await visit.signIn();
    const { status, body } = await visit.tokens(page);
    expect(status).toBe(200);
    expect((await visit.tokens(page)).status).toBe(400);
    // Used twice, it may have been stolen: what came of it has ended.
    await expect.poll(() => atIngress(body.access_token)).toBe('grant-revoked');
    const other = new Visit(client.client_id);
    const signedIn = await other.signIn();
    Object.assign(other, { verifier: randomBytes(32).toString('base64url') });
    expect((await other.tokens(signedIn)).status).toBe(400);
  });

  it('a code is good once, also for two who come with it at the same time', async () => {
    const { body: client } = await register();
    const { browser } = new Visit(client.client_id);
    await new Visit(client.client_id, {}, browser).signIn();
    // Of many rounds one at least has two of them past the first look.
    for (let round = 0; round < 8; round += 1) {
      const visit = new Visit(client.client_id, {}, browser);
      const page = await browser.submit(await browser.open(visit.address), { with: 'session' });
      const answers = await Promise.all([1, 2, 3, 4].map(() => visit.tokens(page)));
      const given = answers.filter(({ status }) => status === 200);
      expect(given.length).toBeLessThanOrEqual(1);
      for (const { body } of answers.filter(({ status }) => status !== 200)) expect(body.error).toBe('invalid_grant');
      for (const { body } of given) await expect.poll(() => atIngress(body.access_token)).toBe('grant-revoked');
    }
  });

  it('a resource that is named twice is refused: a token is for one server', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    for (const second of ['ops', 'dev']) {
      const page = await visit.browser.open(
        `${visit.address}&resource=${encodeURIComponent(`${origin}/mcp/${second}`)}`,
      );
      expect(new URL(page.url).searchParams.get('error')).toBe('invalid_target');
    }
  });

  it('a state with a character that no store takes is refused, and is no error of ours', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id, { state: '' });
    const page = await visit.browser.open(`${visit.address}&state=a%00b`);
    expect(new URL(page.url).searchParams.get('error')).toBe('invalid_request');
  });

  it('a question mark that stands in the question as it is comes back whole', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id, { state: '', scope: '' });
    const consent = await visit.browser.open(`${visit.address}&state=a?b`);
    const page = await visit.browser.submit(consent, { with: 'deny' });
    expect(new URL(page.url).searchParams.get('state')).toBe('a?b');
  });

  it('a name with characters that no store takes is refused, and is no error of ours', async () => {
    for (const name of ['a\u0000b', 'a\ud800b']) {
      const { status, body } = await register({ client_name: name });
      expect([status, (body as unknown as Tokens).error]).toEqual([400, 'invalid_client_metadata']);
    }
  });

  it('an address with a character that no store takes is a wrong one', async () => {
    const { body: client } = await register();
    expect((await new Visit(client.client_id).signIn('ana@example.com\u0000')).status).toBe(401);
  });

  it('a sign-in that began in one browser cannot be ended in another (confused deputy)', async () => {
    const { body: client } = await register();
    const attacker = new Visit(client.client_id);
    const consent = await attacker.browser.open(attacker.address);
    const form = await attacker.browser.submit(consent, { with: 'local' });
    const victim = ScriptedBrowser.until('http://127.0.0.1:5999');
    expect((await victim.open(form.url)).status).toBe(400);
    expect((await victim.submit(form, { email: 'ana@example.com', password: PASSWORD })).status).toBe(400);
    expect((await victim.submit(consent, { with: 'local' })).status).toBe(400);
    // With the attacker's interaction in the jar, but a form that was not shown there.
    const own = new Visit(client.client_id);
    const shown = await own.browser.open(own.address);
    const forged = { ...shown, text: shown.text.replace(/name="token" value="[^"]+"/, 'name="token" value="x"') };
    expect((await own.browser.submit(forged, { with: 'local' })).status).toBe(403);
  });

  it('another client learns nothing of a token, and ends none', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    const { body: tokens } = await visit.tokens(await visit.signIn());
    const { body: other } = await register({ token_endpoint_auth_method: 'client_secret_post' });
    const { client_id, client_secret } = other as unknown as Record<'client_id' | 'client_secret', string>;
    const form = { token: tokens.refresh_token, client_id, client_secret };
    expect(await ask('/oauth/introspect', form)).toEqual({ status: 200, body: { active: false } });
    expect((await ask('/oauth/revoke', form)).status).toBe(200);
    expect((await visit.refresh(tokens.refresh_token)).status).toBe(200);
    const own = await ask('/oauth/introspect', { token: tokens.refresh_token, client_id: client.client_id });
    expect(own.body).toMatchObject({ active: true });
  });

  it('a state of another sign-in is not taken', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    const form = await visit.browser.submit(await visit.browser.open(visit.address), { with: 'local' });
    const state = /state=([\w-]+)/.exec(form.text)![1]!;
    const swapped = { ...form, text: form.text.replace(state, randomBytes(32).toString('base64url')) };
    const page = await visit.browser.submit(swapped, { email: 'ana@example.com', password: PASSWORD });
    expect(page.status).toBe(400);
  });

  it('a token is for the one server that was allowed, however its address is written (audience confusion)', async () => {
    const { body: client } = await register();
    for (const [resource, error] of [
      [`${origin}/mcp/dev/`, 'invalid_target'],
      [`${origin}/mcp/dev?x=1`, 'invalid_target'],
      [`${origin}/mcp/dev#x`, 'invalid_target'],
      [`${origin}/mcp/DEV`, 'invalid_target'],
      [`${origin}/mcp/ops/../dev`, 'invalid_target'],
      [`${origin}/mcp/__proto__`, 'invalid_target'],
      [`${origin}/mcp/constructor`, 'invalid_target'],
      [`${origin}.evil.example/mcp/dev`, 'invalid_target'],
      [origin.replace('127.0.0.1', '127.0.0.1@evil.example') + '/mcp/dev', 'invalid_target'],
    ] as const) {
      const visit = new Visit(client.client_id, { resource });
      const { searchParams } = new URL((await visit.browser.open(visit.address)).url);
      expect({ resource, error: searchParams.get('error') }).toEqual({ resource, error });
      // What it says, and who says it: a client that asked somebody else would see (mix-up, RFC 9207).
      expect(searchParams.get('iss')).toBe(origin);
    }
    const visit = new Visit(client.client_id);
    const page = await visit.signIn();
    expect(new URL(page.url).searchParams.get('iss')).toBe(origin);
    const { status, body } = await redeemed(visit, page, { resource: `${origin}/mcp/ops` });
    expect([status, body.error]).toEqual([400, 'invalid_target']);
    const both = new Visit(client.client_id);
    const { body: tokens } = await both.tokens(await both.signIn());
    expect(atIngress(tokens.access_token, 'ops')).toBe('audience');
    const wider = await ask('/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: tokens.refresh_token,
      client_id: client.client_id,
      resource: `${origin}/mcp/ops`,
    });
    expect([wider.status, wider.body.error]).toEqual([400, 'invalid_target']);
  });

  it('a code and a refresh token are of no use to another client, at another address or without the verifier', async () => {
    const { body: client } = await register();
    const { body: thief } = await register({ client_name: 'Thief' });
    const changes: Record<string, string>[] = [
      { client_id: thief.client_id },
      { redirect_uri: 'http://127.0.0.1:5999/other' },
      { code_verifier: '' },
      { code_verifier: 'x'.repeat(43) },
    ];
    for (const changed of changes) {
      const visit = new Visit(client.client_id);
      const { status, body } = await redeemed(visit, await visit.signIn(), changed);
      expect([changed, status, body.error]).toEqual([changed, 400, 'invalid_grant']);
    }
    const visit = new Visit(client.client_id);
    const { body } = await visit.tokens(await visit.signIn());
    const stolen = await ask('/oauth/token', {
      grant_type: 'refresh_token',
      refresh_token: body.refresh_token,
      client_id: thief.client_id,
    });
    expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant']);
    // Neither is asked by others what it is, nor ended by them.
    const asked = await ask('/oauth/introspect', { token: body.refresh_token, client_id: thief.client_id });
    expect((asked.body as unknown as { active: boolean }).active).toBe(false);
    await ask('/oauth/revoke', { token: body.refresh_token, client_id: thief.client_id });
    expect((await visit.refresh(body.refresh_token)).status).toBe(200);
  });

  it('nobody is redirected to where they were not to go (open redirect)', async () => {
    const { body: client } = await register();
    const evil = 'https://evil.example/';
    const to = async (path: string, host?: string) => {
      const at = new URL(path, origin);
      const response = await fetch(`${host ?? origin}${at.pathname}${at.search}`, { redirect: 'manual' });
      return response.headers.get('location') ?? '';
    };
    const { port } = new URL(origin);
    for (const path of [
      `/oauth/sign-out?post_logout_redirect_uri=${evil}`,
      `/oauth/sign-out?client_id=${client.client_id}&post_logout_redirect_uri=${evil}`,
      `/oauth/sign-out?client_id=${client.client_id}&post_logout_redirect_uri=${CALLBACK}@evil.example`,
      `/oauth/authorize?client_id=nobody&redirect_uri=${evil}&response_type=code`,
      `/oauth/authorize?client_id=${client.client_id}&redirect_uri=${evil}&response_type=code`,
      `/sign-in/anything?returnTo=${evil}`,
      `/sign-in/callback/local?state=x&iss=${evil}`,
    ]) {
      expect({ path, to: await to(path) }).toEqual({ path, to: '' });
    }
    const twice = `client_id=${client.client_id}&redirect_uri=${CALLBACK}&redirect_uri=${evil}&response_type=code`;
    expect(await to(`/oauth/authorize?${twice}`)).toMatch(
      /^http:\/\/127\.0\.0\.1:5999\/callback\?error=invalid_request&/,
    );
    // The one redirect that keeps what was asked for keeps it to our own origin.
    for (const path of [
      '/oauth//evil.example/',
      '/oauth/%5Cevil.example',
      '/oauth/@evil.example',
      '/sign-in//evil.example',
    ])
      expect(new URL(await to(path, `http://localhost:${port}`)).origin).toBe(origin);
  });

  it('a page under a name that leads to us by a trick is not served (DNS rebinding)', async () => {
    const { port } = new URL(origin);
    for (const path of ['/oauth/authorize', '/oauth/token', '/sign-in/anything', '/.well-known/openid-configuration']) {
      for (const host of ['rebound.evil.example', `rebound.evil.example:${port}`, `127.0.0.1.evil.example:${port}`]) {
        const head = `POST ${path} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`;
        expect({ path, host, status: await statusOf(head) }).toEqual({ path, host, status: 403 });
      }
    }
  });

  it('a host that is not ours is not served', async () => {
    const { port } = new URL(origin);
    const alias = await fetch(`http://localhost:${port}/oauth/authorize?x=1`, { redirect: 'manual' });
    expect([alias.status, alias.headers.get('location')]).toEqual([307, `${origin}/oauth/authorize?x=1`]);
  });

  it('nothing that lets its bearer in stands in the database', async () => {
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    const page = await visit.signIn();
    const code = new URL(page.url).searchParams.get('code')!;
    const { body } = await visit.tokens(page);
    const kept = ['oauth_item', 'signing_key', 'sign_in_attempt', 'password'].map((table) =>
      scene.query(`SELECT * FROM identity.${table}`),
    );
    const rows = JSON.stringify(await Promise.all(kept));
    expect(rows).toContain(client.client_id);
    for (const secret of [code, body.refresh_token, body.access_token, PASSWORD]) expect(rows).not.toContain(secret);
    expect(rows).not.toMatch(/"d":/);
  });
});

describe('the end of access', () => {
  it('reaches tokens, refreshes and sessions when the principal is offboarded, suspended or signed out', async () => {
    const { body: client } = await register();
    for (const [index, end] of ['offboard', 'sign-out'].entries()) {
      const email = `leaver${index}@example.com`;
      const id = await newcomer(email);
      const visit = new Visit(client.client_id);
      const { body } = await visit.tokens(await visit.signIn(email));
      expect(atIngress(body.access_token)).toBeTypeOf('object');
      expect((await scene.ask('POST', `/principals/${id}/${end}`)).status).toBe(200);
      await expect.poll(() => atIngress(body.access_token)).toBeTypeOf('string');
      expect((await visit.refresh(body.refresh_token)).status).toBe(400);
      const again = await visit.browser.open(visit.address);
      expect(again.text).not.toContain('You are signed in');
      const back = await visit.signIn(email);
      expect(back.status).toBe(end === 'offboard' ? 401 : 0);
    }
  });

  it('by a sign-out is over with the next sign-in, within the same second too', async () => {
    const { body: client } = await register();
    const id = await newcomer('returns@example.com');
    const visit = new Visit(client.client_id);
    // Each comes back within a fraction of a second: one of them at least does before the clock's next second.
    for (let round = 0; round < 6; round += 1) {
      const { body } = await visit.tokens(await visit.signIn('returns@example.com'));
      expect(atIngress(body.access_token)).toBeTypeOf('object');
      expect((await scene.ask('POST', `/principals/${id}/sign-out`)).status).toBe(200);
      await expect.poll(() => atIngress(body.access_token)).toBeTypeOf('string');
    }
  });

  it('reaches a sign-in that has not come back yet', async () => {
    const id = await newcomer('tom@example.com');
    const { body: client } = await register();
    const browser = ScriptedBrowser.until(`${origin}/oauth/authorize/`);
    const visit = new Visit(client.client_id, {}, browser);
    const signedIn = await visit.signIn('tom@example.com');
    expect(signedIn.url).toContain('/oauth/authorize/');
    expect((await scene.ask('POST', `/principals/${id}/sign-out`)).status).toBe(200);
    const after = await browser.visit(signedIn.url);
    expect(after.url.startsWith(CALLBACK)).toBe(false);
    expect(after.status).toBe(400);
  });

  it('reaches a sign-in of that very moment', async () => {
    const id = await newcomer('uma@example.com');
    const { body: client } = await register();
    const visit = new Visit(client.client_id);
    const form = await visit.browser.submit(await visit.browser.open(visit.address), { with: 'local' });
    const lock = await scene.locked();
    const signedOut = scene.ask('POST', `/principals/${id}/sign-out`);
    await lock.areWaiting(1);
    const page = visit.browser.submit(form, { email: 'uma@example.com', password: PASSWORD });
    await lock.areWaiting(2);
    await lock.release();
    await signedOut;
    expect([(await page).status, (await page).text.includes('You were signed out meanwhile')]).toEqual([400, true]);
    const kept = await scene.query(`SELECT model FROM identity.oauth_item WHERE account_id = '${id}'`);
    expect(kept).toEqual([]);
  });

  it('of one client leaves the others', async () => {
    const id = await newcomer('two@example.com');
    const visits: { visit: Visit; tokens: Tokens }[] = [];
    for (const name of ['One', 'Two']) {
      const { body: client } = await register({ client_name: name });
      const visit = new Visit(client.client_id);
      visits.push({ visit, tokens: (await visit.tokens(await visit.signIn('two@example.com'))).body });
    }
    const { body } = await scene.ask('GET', `/principals/${id}/clients`);
    const { clients } = body as unknown as { clients: { id: string; clientId: string }[] };
    expect(clients).toHaveLength(2);
    const first = clients.find(({ clientId }) => clientId === visits[0]!.visit.clientId)!;
    expect((await scene.ask('DELETE', `/principals/${id}/clients/${first.id}`)).status).toBe(200);
    const gone = await scene.ask('DELETE', `/principals/${id}/clients/${first.id}`);
    expect([gone.status, gone.body.error.code]).toEqual([404, 'WDR_CLIENT_UNKNOWN']);
    await expect.poll(() => atIngress(visits[0]!.tokens.access_token)).toBe('grant-revoked');
    expect(atIngress(visits[1]!.tokens.access_token)).toBeTypeOf('object');
    expect((await visits[1]!.visit.refresh(visits[1]!.tokens.refresh_token)).status).toBe(200);
  });
});
