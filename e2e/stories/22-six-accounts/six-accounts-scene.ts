import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BrowserWindow, type FixtureUpstream, OpenBao, RealBrowser, startFixtureUpstream } from '@warder/testing';
import type { AdminDoor } from '../../admin-door.js';
import { FixtureScene } from '../../fixture-scene.js';
import type { Shape } from '../../shapes.js';
import type { WireAgent } from '../../wire-agent.js';
import { type ProviderHabits, StrictProvider } from './strict-provider.js';

const HABITS: Readonly<Record<string, ProviderHabits>> = {
  github: { killsAccess: true },
  confluence: { hasNoRevocation: true },
  jira: { hasNoRevocation: true },
  sentry: { killsAccess: true, hasNoRevocation: true },
  datadog: {},
  data: { keepsRefresh: true },
};
/** Upstreams, each with a provider of the same name. */
export const NAMES = Object.keys(HABITS);
const PASSWORD = 'correct horse battery staple';

export interface Developer {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  readonly window: BrowserWindow;
}

/** A connection as administrators see it. */
export interface ShownConnection {
  readonly id: string;
  readonly provider: string;
  readonly principalId: string | null;
  readonly status: string;
}

/** A started Warder in front of six upstreams, each of which takes only the tokens of its own provider. */
export class SixAccountsScene {
  /** In the order of `NAMES`. */
  readonly providers: StrictProvider[] = [];
  private readonly upstreams: FixtureUpstream[] = [];
  private fixture: FixtureScene | undefined;
  private browser: RealBrowser | undefined;
  private bao: OpenBao | undefined;

  /** @param dir - where files of the story are, and in `data` all that Warder keeps; outlives the scene */
  private constructor(private readonly dir: string) {}

  static async start(shape: Shape, dir: string): Promise<SixAccountsScene> {
    const scene = new SixAccountsScene(dir);
    try {
      await scene.setUp(shape);
    } catch (error) {
      await scene.stop();
      throw error;
    }
    return scene;
  }

  get admin(): AdminDoor {
    return this.started.admin;
  }

  get nodes(): readonly string[] {
    return this.started.nodes;
  }

  at(path: string): string {
    return new URL(path, this.started.warder.endpoint).href;
  }

  /** An agent of theirs at each node, for the tools of one upstream. */
  agents({ token }: Developer, upstream: string): WireAgent[] {
    return this.nodes.map((node) => this.started.agent(token, node, 'six', upstream));
  }

  /** What the upstreams executed under a nonce, and with whose token. */
  doneBy(nonce: string): string[] {
    return this.upstreams.flatMap((upstream, at) =>
      upstream
        .executed()
        .filter((act) => act.nonce === nonce)
        .map(({ account }) => `${NAMES[at]} ${account}`),
    );
  }

  /** A person with a password of their own, in front of a browser of their own. */
  async developer(name: string): Promise<Developer> {
    const email = `${name}@example.com`;
    const { principalId: id, token } = await this.admin.member({ name, email, groups: ['knowers'] });
    const link = await this.admin.ask<{ url: string }>('POST', `/identity/principals/${id}/password-link`);
    const window = await this.browser!.person();
    await window.visit(link.url);
    await window.page.getByLabel('Password').fill(PASSWORD);
    await window.press('Save it');
    return { id, email, token, window };
  }

  /** Begins at the link of an upstream, and signs in on the way where that is asked; the browser is at the provider then. */
  async begin({ window, email }: Developer, upstream: string): Promise<void> {
    await window.visit(this.at(`/connections/connect/${upstream}`));
    if ((await window.page.getByRole('button', { name: 'Sign in with a password' }).count()) > 0)
      await window.press('Sign in with a password');
    if ((await window.page.getByLabel('E-mail address').count()) > 0) {
      await window.page.getByLabel('E-mail address').fill(email);
      await window.page.getByLabel('Password').fill(PASSWORD);
      await window.press('Sign in');
    }
    // Of what is connected already the button says something else.
    await window.press(/^(Connect|Reconnect) /);
  }

  /** Agrees at the provider. @returns what the page of Warder says that the browser is sent back to */
  async agree({ window }: Developer, account: string): Promise<string> {
    await window.page.getByLabel('Account').fill(account);
    await window.press('Authorize');
    return window.page.innerText('body');
  }

  async connections({ id }: Developer): Promise<ShownConnection[]> {
    const { connections } = await this.admin.ask<{ connections: ShownConnection[] }>('GET', '/credentials/connections');
    return connections.filter(({ principalId }) => principalId === id);
  }

  /** What OpenBao wrote down; empty where it does not run. */
  auditLogOfVault(): Promise<string> {
    return this.bao?.auditLog() ?? Promise.resolve('');
  }

  killCredentials(): Promise<void> {
    return this.started.warder.service('credentials').kill('SIGKILL');
  }

  /** Starts it again with a secret id of its own: a wrapped one is good for one login. */
  async restartCredentials(): Promise<void> {
    await this.giveSecretId();
    await this.started.warder.service('credentials').restart();
  }

  /** Ends Warder, and nothing else: what it kept is on the disk then. */
  stopWarder(): Promise<void> {
    return this.started.warder.stop();
  }

  async stop(): Promise<void> {
    await this.browser?.close();
    await this.fixture?.stop();
    await this.bao?.stop();
    for (const each of this.upstreams) await each.close();
    for (const each of this.providers) await each.stop();
  }

  private get started(): FixtureScene {
    if (this.fixture === undefined) throw new Error('not started');
    return this.fixture;
  }

  private async setUp(shape: Shape): Promise<void> {
    for (const name of NAMES) {
      const provider = await StrictProvider.start(name, HABITS[name]!);
      this.providers.push(provider);
      this.upstreams.push(await startFixtureUpstream({ accountOf: (token) => provider.accountOf(token) }));
    }
    const privateHosts = this.providers.map(({ origin }) => new URL(origin).host);
    const configFile = join(this.dir, 'standalone.yaml');
    writeFileSync(configFile, JSON.stringify({ connections: { privateHosts } }), { mode: 0o600 });
    const vault = shape === 'cluster' ? await this.vaultEnvironment() : {};
    const credentials = { WARDER_CONNECTIONS__PRIVATE_HOSTS: privateHosts.join(), ...vault };
    const dataDir = join(this.dir, 'data');
    this.browser = await RealBrowser.start();
    this.fixture = await FixtureScene.inShape(shape, { environment: { credentials }, configFile, dataDir });
    await this.setUpProviders();
    await this.grantAll();
  }

  /** Where the cluster keeps its secrets: OpenBao, which holds the keys of what Postgres holds. */
  private async vaultEnvironment(): Promise<Record<string, string>> {
    this.bao = await OpenBao.start();
    await this.giveSecretId();
    return {
      WARDER_SECRETS__STORE: 'vault',
      WARDER_SECRETS__VAULT__URL: this.bao.url,
      WARDER_SECRETS__VAULT__APPROLE__ROLE_ID: await this.bao.roleId(),
      WARDER_SECRETS__VAULT__APPROLE__WRAPPED_SECRET_ID_FILE: this.secretIdFile,
    };
  }

  private get secretIdFile(): string {
    return join(this.dir, 'wrapped-secret-id');
  }

  private async giveSecretId(): Promise<void> {
    if (this.bao !== undefined) writeFileSync(this.secretIdFile, await this.bao.wrappedSecretId(), { mode: 0o600 });
  }

  private async setUpProviders(): Promise<void> {
    const { admin } = this;
    for (const { id, clientId, clientSecret, parameters } of this.providers) {
      const body = { entry: 'internal-oauth', clientId, clientSecret, parameters };
      await admin.ask('PUT', `/credentials/providers/${id}`, body);
      await admin.ask('PUT', `/credentials/upstreams/${id}`, { kind: 'oauth_user', provider: id });
    }
  }

  private async grantAll(): Promise<void> {
    const added = this.upstreams.map(({ url }, at) => [
      NAMES[at],
      { transport: { kind: 'streamable-http' as const, url }, timeoutMs: 120_000, allowPrivateAddress: true },
    ]);
    await this.admin.changePolicy((document) => ({
      ...document,
      upstreams: { ...document.upstreams, ...Object.fromEntries(added) },
      virtualServers: {
        ...document.virtualServers,
        six: { ...document.virtualServers['dev']!, tools: NAMES.map((upstream) => ({ upstream, tool: '*' })) },
      },
      grants: [
        ...document.grants,
        { name: 'six', effect: 'permit', to: { group: 'knowers' }, tools: NAMES.map((name) => `${name}/*`) },
      ],
    }));
  }
}
