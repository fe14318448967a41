import { createPrivateKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ClientCredentialsProvider,
  PrivateKeyJwtProvider,
  StaticPrivateKeyJwtProvider,
} from '@modelcontextprotocol/sdk/client/auth-extensions.js';
import type { OAuthClientProvider } from '@modelcontextprotocol/sdk/client/auth.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { AuditRecord } from '@warder/contracts';
import { SignJWT } from 'jose';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallLoad } from '../../call-load.js';
import { overTransport } from '../../clients/sdk-v1-client.js';
import { Company } from '../../company.js';
import { FixtureScene, VIRTUAL_SERVER } from '../../fixture-scene.js';
import { shapesOf, START_TIMEOUT_MS } from '../../shapes.js';
import { eventually, newNonce } from '../../wire-agent.js';

const GROUP = 'knowers';
const TEAM = 'platform';
const PLATFORM = 'agent-platform';
const RULE = 'triage';
const CLIENT = { id: 'assistant', secret: 'a-secret-that-the-company-gave-the-assistant' };
const TYPE = 'urn:ietf:params:oauth:token-type:';
const GRANT = 'urn:ietf:params:oauth:grant-type:';

/** A program with an account of its own, and what it proves itself with. */
interface Account {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly credential: string;
  readonly secret: string;
}

interface Use {
  readonly agent: { readonly id: string; readonly name: string };
  readonly human: { readonly id: string; readonly name: string };
  readonly tool: string;
  readonly count: number;
  readonly samples: readonly { readonly recordId: string }[];
}

describe.each(shapesOf('20-agents'))('programs that act for themselves and for people, in %s', (shape) => {
  let scene: FixtureScene;
  let company: Company;
  let dir: string;
  let load: CallLoad;
  let people = 0;

  const origin = () => new URL(scene.warder.endpoint).origin;
  const endpoint = () => `${origin()}/mcp/${VIRTUAL_SERVER}`;
  const person = async (
    groups: readonly string[] = [GROUP],
  ): Promise<{ id: string; subject: string; name: string }> => {
    people += 1;
    const [subject, name] = [`person-${people}`, `Agent user ${people}`];
    const email = company.addressOf(subject);
    const { principalId } = await scene.admin.member({ name, email, groups: [...groups] });
    return { id: principalId, subject, name };
  };
  const bare = async (name: string, team = TEAM): Promise<{ id: string; name: string; ownerId: string }> => {
    const ownerId = (await person()).id;
    const made = { name, team, ownerId, groups: [GROUP] };
    // The SDK takes a 401 after a new token for final: every node has to know the account before it connects.
    const path = '/identity/service-accounts?wait=20000';
    const { id } = await scene.admin.ask<{ id: string }>('POST', path, made);
    return { id, name, ownerId };
  };
  const account = async (name: string, team = TEAM): Promise<Account> => {
    const made = await bare(name, team);
    const path = `/identity/service-accounts/${made.id}/secrets`;
    const issued = await scene.admin.ask<{ id: string; secret: string }>('POST', path, { name: 'ci' });
    return { ...made, credential: issued.id, secret: issued.secret };
  };
  const ask = async (form: Record<string, string>, by: { readonly id: string; readonly secret: string }) => {
    const answer = await request(`${origin()}/oauth/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${by.id}:${by.secret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ resource: endpoint(), ...form }).toString(),
    });
    const body = (await answer.body.json()) as { access_token?: string; error?: string };
    return { status: answer.statusCode, token: body.access_token ?? '', error: body.error };
  };
  const idToken = (subject: string): string =>
    company.message('JWT', {
      aud: PLATFORM,
      sub: subject,
      exp: Math.floor(Date.now() / 1_000) + 300,
      email: company.addressOf(subject),
      email_verified: true,
    });
  const exchange = (by: Account, subject: string, kind: 'id_token' | 'access_token') =>
    ask({ grant_type: `${GRANT}token-exchange`, subject_token: subject, subject_token_type: `${TYPE}${kind}` }, by);
  const servedEverywhere = async (token: string): Promise<void> => {
    for (const agent of scene.agents(token)) await eventually(`${agent.node} serves it`, () => agent.isServed());
  };
  const refusedEverywhere = async (token: string): Promise<void> => {
    for (const agent of scene.agents(token))
      await eventually(`${agent.node} refuses it`, async () => (await agent.call('echo')).status === 401);
  };
  /** The record of the call with this nonce. */
  const recordOf = async (principalId: string, nonce: string): Promise<AuditRecord> => {
    let found: AuditRecord | undefined;
    await eventually('its record', async () => {
      const records = await scene.admin.records({ human: principalId, kind: 'call' });
      found = records.find(({ personal }) => JSON.stringify(personal?.arguments ?? null).includes(nonce));
      return found !== undefined;
    });
    return found!;
  };
  const called = async (token: string): Promise<string> => {
    await servedEverywhere(token);
    const nonce = newNonce();
    expect((await scene.agent(token).call('echo', { text: 'hello', nonce })).status).toBe(200);
    return nonce;
  };

  beforeAll(async () => {
    company = await Company.open();
    dir = mkdtempSync(join(tmpdir(), 'warder-agents-'));
    const issuer = { id: 'corp', issuer: company.issuer, jwksUri: `${company.issuer}/keys`, linksByEmail: true };
    const agents = {
      privateHosts: [new URL(company.issuer).host],
      issuers: [{ ...issuer, idJag: true, idTokenAudiences: [PLATFORM] }],
      mayAct: [{ name: RULE, teams: [TEAM], groups: [GROUP], virtualServers: [VIRTUAL_SERVER], depthMax: 2 }],
    };
    const authorization = { clients: [{ ...CLIENT, name: 'Assistant', redirectUris: [], idJag: true }] };
    const configFile = join(dir, 'standalone.yaml');
    writeFileSync(configFile, JSON.stringify({ agents, authorization }), { mode: 0o600 });
    const identity = {
      WARDER_AGENTS__PRIVATE_HOSTS: agents.privateHosts.join(),
      WARDER_AGENTS__ISSUERS: JSON.stringify(agents.issuers),
      WARDER_AGENTS__MAY_ACT: JSON.stringify(agents.mayAct),
      WARDER_AUTHORIZATION__CLIENTS: JSON.stringify(authorization.clients),
    };
    scene = await FixtureScene.inShape(shape, { environment: { identity }, configFile });
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

  /** A pair of keys of which Warder has the public one. */
  const keyed = async (name: string): Promise<{ clientId: string; privateKey: string }> => {
    const { id } = await bare(name);
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const jwk = { ...pair.publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'k1' };
    await scene.admin.ask('PUT', `/identity/service-accounts/${id}/keys`, { jwks: { keys: [jwk] } });
    return { clientId: id, privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  };
  type Made = { readonly provider: OAuthClientProvider; readonly id: string; readonly by: string };
  const PROVIDERS: Record<string, () => Promise<Made>> = {
    ClientCredentialsProvider: async () => {
      const { id, secret } = await account('by-secret');
      const known = { clientId: id, clientSecret: secret, expectedIssuer: origin() };
      return { provider: new ClientCredentialsProvider(known), id, by: 'secret' };
    },
    PrivateKeyJwtProvider: async () => {
      const { clientId, privateKey } = await keyed('by-key');
      const known = { clientId, privateKey, algorithm: 'ES256', expectedIssuer: origin() };
      return { provider: new PrivateKeyJwtProvider(known), id: clientId, by: 'private_key_jwt' };
    },
    StaticPrivateKeyJwtProvider: async () => {
      const { clientId, privateKey } = await keyed('by-assertion');
      const assertion = await new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(origin())
        .setIssuedAt()
        .setExpirationTime('5m')
        .sign(createPrivateKey(privateKey));
      const known = { clientId, jwtBearerAssertion: assertion, expectedIssuer: origin() };
      return { provider: new StaticPrivateKeyJwtProvider(known), id: clientId, by: 'private_key_jwt' };
    },
  };

  it.each(Object.keys(PROVIDERS))(
    'connects with the SDK’s %s, the URL and a credential of its own, and calls a tool',
    async (name) => {
      const { provider, id, by } = await PROVIDERS[name]!();
      const transport = new StreamableHTTPClientTransport(new URL(endpoint()), { authProvider: provider });
      const client = await overTransport(transport as Transport);
      const nonce = newNonce();
      expect((await client.call('known__echo', { text: 'by myself', nonce })).isError).toBe(false);
      await client.close();
      expect(scene.fixture.executed().filter((entry) => entry.nonce === nonce)).toHaveLength(1);
      expect(await recordOf(id, nonce)).toMatchObject({
        principal: { id, kind: 'service' },
        actorChain: [],
        agent: { kind: 'client-credentials' },
        verified: { client: id, by },
      });
    },
    60_000,
  );

  it('acts for a person by a rule: the record has the person, the chain, the client and how it was verified', async () => {
    const [ana, bot, deep] = [await person(), await account('triage-bot'), await account('deep-bot')];
    const first = await exchange(bot, idToken(ana.subject), 'id_token');
    expect(first).toMatchObject({ status: 200 });
    const direct = await called(first.token);
    expect(await recordOf(ana.id, direct)).toMatchObject({
      principal: { id: ana.id, kind: 'human' },
      actorChain: [{ id: bot.id, kind: 'service' }],
      agent: { kind: 'token-exchange' },
      verified: { client: bot.id, by: 'secret' },
    });
    const second = await exchange(deep, first.token, 'access_token');
    expect(second).toMatchObject({ status: 200 });
    const chained = await called(second.token);
    expect(await recordOf(ana.id, chained)).toMatchObject({
      principal: { id: ana.id, kind: 'human' },
      actorChain: [
        { id: deep.id, kind: 'service' },
        { id: bot.id, kind: 'service' },
      ],
      verified: { client: deep.id, by: 'secret' },
    });
    // Deeper than the rule says.
    expect(await exchange(bot, second.token, 'access_token')).toMatchObject({ status: 400, error: 'invalid_request' });
    await eventually('who used the tool', async () => {
      const path = '/audit/who-used?upstream=known&tool=echo&days=1&limit=500';
      const { uses } = await scene.admin.ask<{ uses: Use[] }>('GET', path);
      const agents = uses.filter(({ human }) => human.id === ana.id).map(({ agent }) => agent.name);
      return agents.toSorted().join() === 'deep-bot,triage-bot';
    });
  }, 60_000);

  it('is refused for a person or by an agent that no rule names, and that is on record', async () => {
    const [ana, stranger] = [await person(), await person([])];
    const [bot, other] = [await account('ruled-bot'), await account('rogue-bot', 'elsewhere')];
    const refused = { status: 400, error: 'invalid_request', token: '' };
    expect(await exchange(other, idToken(ana.subject), 'id_token')).toEqual(refused);
    expect(await exchange(bot, idToken(stranger.subject), 'id_token')).toEqual(refused);
    await eventually('the refusals', async () => {
      const records = await scene.admin.records({ kind: 'authentication', code: 'WDR_GRANT_REFUSED' });
      return records.length > 0;
    });
  }, 60_000);

  it('acts for a person by the word of the company’s provider (ID-JAG), once for each assertion', async () => {
    const ana = await person();
    const assertion = company.message('oauth-id-jag+jwt', {
      aud: origin(),
      client_id: CLIENT.id,
      sub: ana.subject,
      resource: endpoint(),
      exp: Math.floor(Date.now() / 1_000) + 300,
      email: company.addressOf(ana.subject),
      email_verified: true,
    });
    const present = () => ask({ grant_type: `${GRANT}jwt-bearer`, assertion }, CLIENT);
    const answers = await Promise.all([present(), present()]);
    expect(answers.map(({ status }) => String(status)).toSorted()).toEqual(['200', '400']);
    const { token } = answers.find(({ status }) => status === 200)!;
    expect(await recordOf(ana.id, await called(token))).toMatchObject({
      principal: { id: ana.id, kind: 'human' },
      actorChain: [],
      agent: { kind: 'id-jag' },
      verified: { client: CLIENT.id, by: 'advance' },
    });
  }, 60_000);

  interface Acting {
    readonly bot: Account;
    readonly personId: string;
    readonly own: string;
    readonly exchanged: string;
  }
  const WAYS: Record<
    string,
    { readonly end: (acting: Acting) => Promise<unknown>; readonly ends: readonly ('own' | 'exchanged')[] }
  > = {
    'its credential is ended': {
      end: ({ bot }) => scene.admin.ask('DELETE', `/identity/service-accounts/${bot.id}/credentials/${bot.credential}`),
      ends: ['own', 'exchanged'],
    },
    'its owner is suspended': {
      end: ({ bot }) => scene.admin.ask('PATCH', `/identity/principals/${bot.ownerId}`, { status: 'suspended' }),
      ends: ['own', 'exchanged'],
    },
    'the person whom it acts for is offboarded': {
      end: ({ personId }) => scene.admin.ask('POST', `/identity/principals/${personId}/offboard`),
      ends: ['exchanged'],
    },
  };

  it.each(Object.keys(WAYS))(
    'is cut off on every node, running calls included, when %s',
    async (way) => {
      const { end, ends } = WAYS[way]!;
      const [ana, bot] = [await person(), await account('cut-bot')];
      const own = await ask({ grant_type: 'client_credentials' }, bot);
      const exchanged = await exchange(bot, idToken(ana.subject), 'id_token');
      const tokens = { own: own.token, exchanged: exchanged.token };
      for (const token of Object.values(tokens)) await servedEverywhere(token);
      const nonces: string[] = [];
      const running = ends.flatMap((which) =>
        scene.agents(tokens[which]).map((agent) => {
          const nonce = newNonce();
          nonces.push(nonce);
          return agent.call('slow', { ms: 100_000, nonce }, true);
        }),
      );
      await eventually('the upstream has them all', async () =>
        nonces.every((nonce) => scene.fixture.executed().some((entry) => entry.nonce === nonce)),
      );
      await end({ bot, personId: ana.id, ...tokens });
      for (const { text } of await Promise.all(running)) expect(text).toContain('WDR_CALL_REVOKED');
      for (const which of ends) await refusedEverywhere(tokens[which]);
      if (!ends.includes('own')) await servedEverywhere(tokens.own);
      expect((await exchange(bot, idToken(ana.subject), 'id_token')).status).toBeGreaterThanOrEqual(400);
    },
    120_000,
  );

  it('takes nothing from anybody else', async () => {
    await load.stop();
    expect(load.refusals).toEqual(new Map());
    expect(load.served).toBeGreaterThan(0);
    await scene.ledgerHolds();
  }, 60_000);
});
