import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScriptedBrowser, type StartedCluster } from '@warder/testing';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallLoad } from '../../call-load.js';
import { Company } from '../../company.js';
import { Directory } from '../../directory.js';
import { FixtureScene, VIRTUAL_SERVER } from '../../fixture-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce, type WireAgent } from '../../wire-agent.js';

const CALLBACK = 'http://127.0.0.1:5998/callback';
const BEARERS = {
  okta: 'okta-bearer-of-thirty-two-characters-or-more',
  entra: 'entra-bearer-of-thirty-two-characters-or-more',
} as const;
const PUSH_BEARER = 'the-bearer-that-warder-gave-to-the-transmitter';
const AUDIENCE = 'https://warder.example/signals';
const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';
const DISABLED = 'https://schemas.openid.net/secevent/risc/event-type/account-disabled';
const PORT = 8080;
/** Of the target, one second, a slow machine may miss some; a node that never hears of it does not pass. */
const PATIENCE_MS = 15_000;

/** Somebody who signed in at the company, with a client, a personal token and a browser that stays signed in. */
interface Leaver {
  readonly subject: string;
  readonly id: string;
  readonly oauth: string;
  readonly pat: string;
  readonly browser: ScriptedBrowser;
}

describe.each(shapesOf('16-ending-access'))('whoever leaves, in %s', (shape) => {
  let scene: FixtureScene;
  let company: Company;
  let dir: string;
  let load: CallLoad;
  let clientId: string;

  const origin = () => new URL(scene.warder.endpoint).origin;
  const directory = (dialect: 'okta' | 'entra') => new Directory(origin(), BEARERS[dialect], dialect);
  const isRefused = async (agent: WireAgent): Promise<boolean> => (await agent.call('echo')).status === 401;
  const refusedEverywhere = async (token: string): Promise<void> => {
    for (const agent of scene.agents(token))
      await eventually(`${agent.node} refuses it`, () => isRefused(agent), PATIENCE_MS);
  };
  const servedEverywhere = async (token: string): Promise<void> => {
    for (const agent of scene.agents(token)) await eventually(`${agent.node} serves it`, () => agent.isServed());
  };
  const addressOf = (verifier: string): string => {
    const params = {
      client_id: clientId,
      response_type: 'code',
      redirect_uri: CALLBACK,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      scope: 'mcp',
      resource: `${origin()}/mcp/${VIRTUAL_SERVER}`,
    };
    return `${origin()}/oauth/authorize?${new URLSearchParams(params).toString()}`;
  };
  const post = async (path: string, contentType: string, body: string, bearer?: string) => {
    const authorization = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
    const answer = await request(`${origin()}${path}`, {
      method: 'POST',
      headers: { 'content-type': contentType, ...authorization },
      body,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, text };
  };
  /** Whether a browser that asks anew is offered to go on without signing in. */
  const isSignedIn = async ({ browser }: Leaver): Promise<boolean> =>
    (await browser.open(addressOf('another'))).text.includes('value="session"');

  const signIn = async (subject: string): Promise<Leaver> => {
    company.accounts.add(subject);
    company.visitor = subject;
    const verifier = randomBytes(32).toString('base64url');
    const browser = new ScriptedBrowser((url) => url.startsWith(CALLBACK));
    const page = await browser.submit(await browser.open(addressOf(verifier)), { with: 'corp' });
    const code = new URL(page.url).searchParams.get('code') ?? '';
    const grant = { grant_type: 'authorization_code', code, redirect_uri: CALLBACK, client_id: clientId };
    const form = new URLSearchParams({
      ...grant,
      code_verifier: verifier,
      resource: `${origin()}/mcp/${VIRTUAL_SERVER}`,
    });
    const { text } = await post('/oauth/token', 'application/x-www-form-urlencoded', form.toString());
    const { access_token: oauth } = JSON.parse(text) as { access_token: string };
    const { principals } = await scene.admin.ask<{ principals: { id: string; email: string | null }[] }>(
      'GET',
      '/identity/principals?limit=500',
    );
    const { id } = principals.find(({ email }) => email === company.addressOf(subject))!;
    const { token: pat } = await scene.admin.token(id, 'laptop');
    for (const token of [oauth, pat]) await servedEverywhere(token);
    return { subject, id, oauth, pat, browser };
  };
  const toldOf = async ({ id }: Leaver): Promise<string[]> => {
    const records = await scene.admin.records({ kind: 'admin' });
    return records
      .filter(({ personal }) => JSON.stringify(personal?.arguments ?? null).includes(id))
      .toSorted((one, other) => one.sequence - other.sequence)
      .map(({ method, verified }) => `${verified?.client ?? 'administrator'} ${method.slice('admin/identity/'.length)}`)
      .filter((told) => !told.includes('create') && !told.includes('token.issue'));
  };

  beforeAll(async () => {
    company = await Company.open();
    dir = mkdtempSync(join(tmpdir(), 'warder-ending-'));
    const { issuer, poll } = company;
    const provider = {
      kind: 'oidc',
      id: 'corp',
      name: 'Corp',
      issuer,
      clientId: 'warder',
      clientSecret: 'a-secret-of-warder',
      groupsClaim: 'groups',
      livenessMinutes: 60,
      allowPrivateAddress: true,
    };
    const sender = { id: 'acme', provider: 'corp', issuer, allowPrivateAddress: true };
    const transmitter = { ...sender, audience: [AUDIENCE], push: { bearer: PUSH_BEARER }, poll };
    const signals = { transmitters: [transmitter], universalLogout: [sender] };
    const signInConfig = { providers: [provider], attemptsPerMinute: 10_000 };
    const configFile = join(dir, 'standalone.yaml');
    writeFileSync(configFile, JSON.stringify({ scim: { tokens: BEARERS }, signals, signIn: signInConfig }), {
      mode: 0o600,
    });
    const identity = {
      WARDER_SCIM__TOKENS__OKTA: BEARERS.okta,
      WARDER_SCIM__TOKENS__ENTRA: BEARERS.entra,
      WARDER_SIGN_IN__PROVIDERS: JSON.stringify(signInConfig.providers),
      WARDER_SIGN_IN__ATTEMPTS_PER_MINUTE: '10000',
      WARDER_SIGNALS__TRANSMITTERS: JSON.stringify(signals.transmitters),
      WARDER_SIGNALS__UNIVERSAL_LOGOUT: JSON.stringify(signals.universalLogout),
      WARDER_CANARY_SECONDS: '1',
    };
    scene = await FixtureScene.inShape(shape, { environment: { identity }, configFile });
    const client = { client_name: 'Story', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' };
    const registered = await post('/oauth/register', 'application/json', JSON.stringify(client));
    clientId = (JSON.parse(registered.text) as { client_id: string }).client_id;
    const live = await scene.member();
    await servedEverywhere(live.token);
    load = new CallLoad(scene.agents(live.token), 10);
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await load?.stop();
    await scene?.stop();
    await company?.close();
    rmSync(dir, { recursive: true, force: true });
  }, 60_000);

  const byScim = (dialect: 'okta' | 'entra') => async (leaver: Leaver) => {
    const userId = await directory(dialect).createUser(leaver.subject);
    expect(userId).toBe(leaver.id);
    const groupId = await directory(dialect).createGroup(`Knowers ${dialect}`);
    await directory(dialect).join(groupId, userId);
    expect((await directory(dialect).setActive(userId, false)).status).toBe(200);
  };
  interface Way {
    readonly end: (leaver: Leaver) => Promise<unknown>;
    /** Whether personal tokens end too. */
    readonly isWhole: boolean;
    /** The last records of it. */
    readonly told: readonly string[];
  }
  const WAYS: Record<string, Way> = {
    'by SCIM in the words of Okta': { end: byScim('okta'), isWhole: true, told: ['okta scim-user.replace'] },
    'by SCIM in the words of Entra': { end: byScim('entra'), isWhole: true, told: ['entra scim-user.change'] },
    'by universal logout': {
      end: async ({ subject }) => {
        const path = '/signals/universal-logout/acme';
        const claims = { aud: `${origin()}${path}`, exp: Math.floor(Date.now() / 1_000) + 300 };
        const proof = company.message('global-token-revocation+jwt', claims);
        const body = JSON.stringify({ sub_id: { format: 'email', email: company.addressOf(subject) } });
        expect((await post(path, 'application/json', body, proof)).status).toBe(204);
        expect((await post(path, 'application/json', body, proof)).status).toBe(401);
      },
      isWhole: true,
      told: ['acme principal.sign-out', 'acme principal.change'],
    },
    'by a revoked session that is pushed': {
      end: async ({ subject }) => {
        const text = company.event(SESSION_REVOKED, subject, AUDIENCE);
        const answer = await post('/signals/push/acme', 'application/secevent+jwt', text, PUSH_BEARER);
        expect(answer).toEqual({ status: 202, text: '' });
      },
      isWhole: false,
      told: ['acme principal.sign-out'],
    },
    'by a disabled account that is asked for': {
      end: async ({ subject }) => company.offer(company.event(DISABLED, subject, AUDIENCE)),
      isWhole: true,
      told: ['acme principal.sign-out', 'acme principal.change'],
    },
    'by the provider, asked after a sign-out': {
      end: async ({ subject, id }) => {
        company.accounts.delete(subject);
        await scene.admin.ask('POST', `/identity/principals/${id}/sign-out`);
      },
      isWhole: true,
      told: ['administrator principal.sign-out', 'corp principal.sign-out', 'corp principal.change'],
    },
    'by an administrator who offboards': {
      end: ({ id }) => scene.admin.ask('POST', `/identity/principals/${id}/offboard`),
      isWhole: true,
      told: ['administrator principal.offboard'],
    },
  };

  it.each(Object.keys(WAYS))(
    'is out on every node %s: clients, sessions, open streams and, where it is whole, personal tokens',
    async (way) => {
      const { end, isWhole, told } = WAYS[way]!;
      const at = Object.keys(WAYS).indexOf(way);
      const leaver = await signIn(`leaver-${at}`);
      expect(await isSignedIn(leaver)).toBe(true);
      const ending = isWhole ? [leaver.oauth, leaver.pat] : [leaver.oauth];
      const nonces: string[] = [];
      const running = ending.flatMap((token) =>
        scene.agents(token).map((agent) => {
          const nonce = newNonce();
          nonces.push(nonce);
          return agent.call('slow', { ms: 100_000, nonce }, true);
        }),
      );
      await eventually('the upstream has them all', async () =>
        nonces.every((nonce) => scene.fixture.executed().some((entry) => entry.nonce === nonce)),
      );
      await end(leaver);
      const answeredMs = performance.now();
      for (const { text } of await Promise.all(running)) expect(text).toContain('WDR_CALL_REVOKED');
      for (const token of ending) await refusedEverywhere(token);
      const allMs = Math.round(performance.now() - answeredMs);
      process.stdout.write(`${shape}, ${way}: every node refused ${allMs} ms after the answer\n`);
      expect(await isSignedIn(leaver)).toBe(false);
      if (!isWhole) await servedEverywhere(leaver.pat);
      await eventually('its records are stored', async () => (await toldOf(leaver)).at(-1) === told.at(-1));
      expect((await toldOf(leaver)).slice(-told.length)).toEqual(told);
    },
    120_000,
  );

  it('takes nothing from anybody else, and each node tells how fast it was', async () => {
    await load.stop();
    expect(load.refusals).toEqual(new Map());
    expect(load.served).toBeGreaterThan(0);
    await scene.ledgerHolds();
    if (shape === 'standalone') return;
    for (const node of scene.nodes) {
      await eventually(`${node} has measured`, async () => {
        const address = (scene.warder as StartedCluster).address(node, PORT);
        const metrics = await (await request(`http://${address}/metrics`)).body.text();
        return /^warder_revocation_propagation_seconds_count [1-9]/m.test(metrics);
      });
    }
  }, 60_000);
});
