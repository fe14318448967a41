import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PolicyDocument, tokenStateTopic } from '@warder/contracts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@warder/postgres';
import { type RunningHost, startHost } from '@warder/service-host';
import { composeServices, openDataDirectory, readStandaloneConfig } from '@warder/standalone';
import { createLogger } from '@warder/telemetry';
import { type FixtureUpstream, ScriptedBrowser, startFixtureUpstream } from '@warder/testing';
import { digestOf, issueToken } from '@warder/tokens';
import { request } from 'undici';
import { AdminDoor } from '../../admin-door.js';
import { eventually } from '../../wire-agent.js';

export const SCIM_BEARER = 'scim-bearer-of-thirty-two-characters-and-more';
export const LEAK_SECRET = 'leak-secret-of-thirty-two-characters-and-more';
export const SIGNALS_BEARER = 'signals-bearer-of-thirty-two-characters-and-more';
const PASSWORD = 'correct horse battery staple';
export const FORM = 'application/x-www-form-urlencoded';
const CALLBACK = 'http://127.0.0.1:5999/callback';
/** Limits that a walk of every entry with every credential does not reach. */
const OFTEN = { requestsPerMinute: 1_000_000, burst: 100_000 };
const SETTINGS = {
  scim: { tokens: { okta: SCIM_BEARER }, ...OFTEN },
  leakedTokens: { reporters: { scanner: { secret: LEAK_SECRET } }, ...OFTEN },
  signals: {
    transmitters: [
      { id: 'corp', issuer: 'https://idp.example', audience: ['warder'], push: { bearer: SIGNALS_BEARER } },
    ],
    ...OFTEN,
  },
  signIn: { attemptsPerMinute: 10_000 },
  authorization: { registration: { perMinute: 10_000 } },
  connections: { requestsPerMinute: 100_000 },
};

/** What a request proves itself with. */
export interface Proof {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** Put behind the path. */
  readonly query?: string;
  /** In place of the body, for requests that have one. */
  readonly form?: string;
}

/** An answer as it came. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** Warder in one process of the test's, so that its own list of ways in can be asked for, with callers of every kind. */
export class AttackedScene {
  /** Principals who have chosen one. */
  private readonly withPassword = new Set<string>();

  private constructor(
    readonly running: RunningHost,
    readonly admin: AdminDoor,
    readonly adminToken: string,
    private readonly pepper: string,
    private readonly parts: { dir: string; postgres: EmbeddedPostgres; fixture: FixtureUpstream },
  ) {}

  static async start(): Promise<AttackedScene> {
    const dir = mkdtempSync(join(tmpdir(), 'warder-attacks-'));
    const directory = openDataDirectory(dir);
    const postgres = await startEmbeddedPostgres({ ephemeral: true });
    const fixture = await startFixtureUpstream();
    const configFile = join(dir, 'settings.yaml');
    writeFileSync(configFile, JSON.stringify(SETTINGS));
    writeFileSync(directory.stdioFile, '{}\n');
    const { settings, ...services } = readStandaloneConfig({
      port: 0,
      dataDir: dir,
      configFile,
      readyFile: undefined,
    });
    const databaseUrl = postgres.url;
    const running = await startHost({
      service: 'standalone',
      settings,
      log: createLogger('test', { level: 'silent' }),
      module: (hostFor) => composeServices({ ...services, directory, databaseUrl, policyFile: undefined }, hostFor),
    });
    await eventually('the process is ready', async () => (await fetch(`${running.url}/readyz`)).ok, 60_000);
    const adminToken = readFileSync(directory.adminTokenFile, 'utf8').trim();
    const admin = new AdminDoor({ adminUrl: `${running.url}/admin`, adminToken });
    const pepper = readFileSync(directory.pepperFile, 'utf8').trim();
    const scene = new AttackedScene(running, admin, adminToken, pepper, { dir, postgres, fixture });
    await admin.changePolicy((document) => scene.policy(document));
    return scene;
  }

  /** Two virtual servers in front of one upstream, for those of a group. */
  private policy(document: PolicyDocument): PolicyDocument {
    const tools = [{ upstream: 'known', tool: '*' }];
    return {
      ...document,
      upstreams: {
        known: {
          transport: { kind: 'streamable-http', url: this.parts.fixture.url },
          allowPrivateAddress: true,
        },
      },
      virtualServers: { known: { tools }, other: { tools } },
      limit: { callsPerMinute: 1_000_000, burst: 100_000 },
      grants: [{ name: 'knowers', effect: 'permit', to: { group: 'knowers' }, tools: ['known/*'] }],
    } as unknown as PolicyDocument;
  }

  /** Resource of a virtual server: its URL, to the byte. */
  resource(server: string): string {
    return `${this.running.url}/mcp/${server}`;
  }

  /** A token of the principal that was good until a minute ago. */
  async expired(principalId: string): Promise<string> {
    const text = issueToken((bytes) => randomBytes(bytes));
    const nowMs = Date.now();
    await this.running.bus.publish(tokenStateTopic, digestOf(text, this.pepper), {
      version: 1,
      status: 'active',
      id: 'pat_expired',
      name: 'expired',
      principalId,
      pepperKeyId: 'p1',
      createdAtMs: nowMs - 120_000,
      expiresAtMs: nowMs - 60_000,
      scopes: { tools: null },
    });
    return text;
  }

  /** An access token for one virtual server, as a client gets it: registration, consent, sign-in, code. */
  async signedIn(principalId: string, email: string, server: string): Promise<string> {
    const { url } = this.running;
    const browser = ScriptedBrowser.until(CALLBACK);
    // Another password by a link would end the clients that they have.
    if (!this.withPassword.has(principalId)) {
      const link = await this.admin.ask<{ url: string }>('POST', `/identity/principals/${principalId}/password-link`);
      await browser.submit(await browser.open(link.url), { password: PASSWORD });
      this.withPassword.add(principalId);
    }
    const registered = await fetch(`${url}/oauth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ client_name: 'C', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' }),
    });
    const { client_id: clientId } = (await registered.json()) as { client_id: string };
    const verifier = randomBytes(32).toString('base64url');
    const asked = new URLSearchParams({
      client_id: clientId,
      response_type: 'code',
      redirect_uri: CALLBACK,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      scope: 'mcp',
      resource: this.resource(server),
    });
    const form = await browser.submit(await browser.open(`${url}/oauth/authorize?${asked}`), { with: 'local' });
    const back = await browser.submit(form, { email, password: PASSWORD });
    const code = new URL(back.url).searchParams.get('code') ?? '';
    const answer = await fetch(`${url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        client_id: clientId,
        redirect_uri: CALLBACK,
        code_verifier: verifier,
        resource: this.resource(server),
      }),
    });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    if (token === undefined) throw new Error(`no token: ${answer.status}`);
    return token;
  }

  /** Asks the door as it stands, over a connection of its own. */
  async ask(method: string, path: string, proof: Proof, body?: { type: string; text: string }): Promise<Answered> {
    const to = new URL(path, this.running.url);
    const { form } = proof;
    const sent = form === undefined || body === undefined ? body : { type: FORM, text: form };
    const query = proof.query === undefined ? '' : `${to.search === '' ? '?' : '&'}${proof.query}`;
    const answer = await request(`${this.running.url}${to.pathname}${to.search}${query}`, {
      method: method as 'GET',
      headers: { ...proof.headers, ...(sent === undefined ? {} : { 'content-type': sent.type }) },
      ...(sent === undefined ? {} : { body: sent.text }),
    });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  }

  /** Names of the tools that the upstream ran, in their order. */
  executed(): string[] {
    return this.parts.fixture.executed().map(({ tool }) => tool);
  }

  async stop(): Promise<void> {
    const { dir, postgres, fixture } = this.parts;
    await this.running.stop();
    await postgres.stop();
    await fixture.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
